/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Changing the rate of sampling: a sinc under a Hann window. */
#include <math.h>
#include <string.h>

#include "io/audio_ends.h"

enum { HALF_SPAN = 24 }; /* zero crossings of the sinc each way, for whole sounds */

static const double pi = 3.141592653589793;

/* sin(pi x) / (pi x) under a window that ends at +-span. */
static double kernel(double x, double span)
{
    if (fabs(x) >= span)
        return 0;
    double window = 0.5 + 0.5 * cos(pi * x / span);
    return fabs(x) < 1e-9 ? 1 : sin(pi * x) / (pi * x) * window;
}

static int16_t clip(double v)
{
    return (int16_t)lrint(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v);
}

/* ---- a whole sound ---- */

/* The sound at `at` (in samples of the input). `scale` is 1, or below it to keep out what the lower
 * rate of the output cannot carry. */
static int16_t sample_at(const int16_t *in, size_t n, double at, double scale)
{
    double reach = HALF_SPAN / scale, sum = 0, weight = 0;
    long last = lrint(floor(at + reach));
    for (long i = lrint(ceil(at - reach)); i <= last; i++) {
        double k = kernel(((double)i - at) * scale, HALF_SPAN);
        weight += k;
        if (i >= 0 && (size_t)i < n)
            sum += k * in[i];
    }
    return clip(weight > 0 ? sum / weight : 0);
}

int16_t *dt__audio_resample(const int16_t *in, size_t in_n, unsigned rate, size_t *n)
{
    double step = (double)rate / DT_AUDIO_RATE;
    *n = (size_t)((double)in_n / step);
    int16_t *out = dt_alloc_array(&dt_alloc_libc, NULL, *n + 1, sizeof *out);
    if (out && rate == DT_AUDIO_RATE)
        memcpy(out, in, *n * sizeof *out);
    for (size_t i = 0; out && rate != DT_AUDIO_RATE && i < *n; i++)
        out[i] = sample_at(in, in_n, (double)i * step, step > 1 ? 1 / step : 1);
    return out;
}

/* ---- a stream, by a whole factor ---- */

void dt__audio_filter_init(struct audio_filter *f, unsigned factor)
{
    unsigned n = 2 * AUDIO_SPAN * factor;
    double sum = 0;
    memset(f, 0, sizeof *f);
    f->factor = factor;
    for (unsigned i = 0; i < n; i++) {
        double x = ((double)i - (double)(n - 1) / 2) / factor;
        double k = kernel(x, AUDIO_SPAN);
        f->taps[i] = (float)k;
        sum += k;
    }
    for (unsigned i = 0; i < n; i++)
        f->taps[i] = (float)(f->taps[i] / sum);
}

static float filter(struct audio_filter *f, float in)
{
    unsigned n = 2 * AUDIO_SPAN * f->factor;
    float sum = 0;
    memmove(f->past + 1, f->past, (n - 1) * sizeof f->past[0]);
    f->past[0] = in;
    for (unsigned i = 0; i < n; i++)
        sum += f->past[i] * f->taps[i];
    return sum;
}

void dt__audio_faster(struct audio_filter *f, int16_t in, int16_t *out)
{
    if (f->factor == 1) {
        out[0] = in;
        return;
    }
    for (unsigned i = 0; i < f->factor; i++)
        out[i] = clip(filter(f, i == 0 ? (float)in * (float)f->factor : 0));
}

bool dt__audio_slower(struct audio_filter *f, int16_t in, int16_t *out)
{
    if (f->factor == 1) {
        *out = in;
        return true;
    }
    float v = filter(f, in);
    f->phase = (f->phase + 1) % f->factor;
    *out = clip(v);
    return f->phase == 0;
}
