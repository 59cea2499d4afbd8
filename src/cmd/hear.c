/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/hear.h"

#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 8000, MAX_SECONDS = 600 };

struct sound {
    float *samples;
    size_t n;
};

static int load(const char *path, struct sound *out)
{
    SF_INFO info;
    memset(&info, 0, sizeof info);
    memset(out, 0, sizeof *out);
    SNDFILE *f = sf_open(path, SFM_READ, &info);
    if (!f)
        return DT_E_ABSENT;
    int err = DT_OK;
    if (info.samplerate != RATE || info.channels != 1 ||
        info.frames > (sf_count_t)RATE * MAX_SECONDS)
        err = DT_E_SYNTAX;
    else if (!(out->samples = calloc((size_t)info.frames + 1, sizeof *out->samples)))
        err = DT_E_NOMEM;
    else
        out->n = (size_t)sf_read_float(f, out->samples, info.frames);
    sf_close(f);
    return err;
}

static double energy(const float *s, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)s[i] * (double)s[i];
    return sum;
}

static double product(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return (double)sum;
}

/* The part of `played` that is searched: without the silence before and behind it. */
static struct sound without_silence(struct sound s)
{
    const float quiet = 0.01F;
    while (s.n > 0 && fabsf(s.samples[0]) < quiet) {
        s.samples++;
        s.n--;
    }
    while (s.n > 0 && fabsf(s.samples[s.n - 1]) < quiet)
        s.n--;
    return s;
}

static int search(struct sound what, struct sound in, struct dt_heard *out)
{
    out->seconds = (double)in.n / RATE;
    out->rms = in.n > 0 ? sqrt(energy(in.samples, in.n) / (double)in.n) : 0;
    out->correlation = 0;
    if (what.n == 0 || in.n < what.n)
        return DT_E_MORE;
    double mine = energy(what.samples, what.n);
    double its = energy(in.samples, what.n);
    for (size_t lag = 0; lag + what.n <= in.n; lag++) {
        double both = sqrt(mine * its);
        double c = both > 0 ? product(what.samples, in.samples + lag, what.n) / both : 0;
        if (c > out->correlation) {
            out->correlation = c;
            out->delay = (double)lag / RATE;
        }
        if (lag + what.n < in.n) {
            double gone = (double)in.samples[lag], come = (double)in.samples[lag + what.n];
            its += come * come - gone * gone;
            its = its > 0 ? its : 0;
        }
    }
    return DT_OK;
}

static struct sound part(struct sound s, const struct dt_hear *what)
{
    size_t from = (size_t)(what->from * RATE), n = (size_t)(what->seconds * RATE);
    from = from < s.n ? from : s.n;
    s.samples += from;
    s.n -= from;
    s.n = n > 0 && n < s.n ? n : s.n;
    return s;
}

int dt_cmd_hear(const struct dt_hear *what, struct dt_heard *out)
{
    struct sound a, b;
    memset(out, 0, sizeof *out);
    int err = load(what->played, &a);
    if (err)
        return err;
    err = load(what->recorded, &b);
    if (!err)
        err = search(without_silence(part(a, what)), b, out);
    free(a.samples);
    free(b.samples);
    return err;
}
