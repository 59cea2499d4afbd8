/* SPDX-License-Identifier: BSD-2-Clause
 *
 * UDP in batches without a loop: recvmmsg and sendmmsg on a connected socket. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <linux/sock_diag.h>

#include "io/burst.h"
#include "io/io.h"
#include "io/loop.h"

enum { BUFFER = 8 << 20, WAITS = 8 };

struct dt_burst {
    const struct dt_alloc *alloc;
    int fd;
    unsigned n_out;
    struct mmsghdr in[DT_BURST_BATCH], out[DT_BURST_BATCH];
    struct iovec in_vectors[DT_BURST_BATCH], out_vectors[DT_BURST_BATCH];
    char in_buffers[DT_BURST_BATCH][DT_BURST_SIZE], out_buffers[DT_BURST_BATCH][DT_BURST_SIZE];
};

static void prepare(struct dt_burst *b)
{
    for (size_t i = 0; i < DT_BURST_BATCH; i++) {
        b->in_vectors[i] = (struct iovec){b->in_buffers[i], DT_BURST_SIZE};
        b->out_vectors[i] = (struct iovec){b->out_buffers[i], 0};
        b->in[i].msg_hdr.msg_iov = &b->in_vectors[i];
        b->out[i].msg_hdr.msg_iov = &b->out_vectors[i];
        b->in[i].msg_hdr.msg_iovlen = b->out[i].msg_hdr.msg_iovlen = 1;
    }
}

/* DT_OK with `*local` filled in, or why not. */
static int join(struct dt_burst *b, const struct dt_addr *target, struct dt_addr *local)
{
    struct sockaddr_storage from, to;
    socklen_t n_from = dt__sock_from_addr(local, &from), n_to = dt__sock_from_addr(target, &to);
    b->fd = socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (b->fd < 0)
        return dt__sock_err(errno);
    dt__sock_room(b->fd, BUFFER);
    if (bind(b->fd, (struct sockaddr *)&from, n_from) ||
        connect(b->fd, (struct sockaddr *)&to, n_to) ||
        getsockname(b->fd, (struct sockaddr *)&from, &n_from))
        return dt__sock_err(errno);
    *local = dt__sock_to_addr(&from, DT_UDP);
    return DT_OK;
}

struct dt_burst *dt_burst_open(const struct dt_alloc *a, const struct dt_addr *target,
                               struct dt_addr *local, int *err)
{
    struct dt_burst *b = dt_alloc_zero(a, sizeof *b);
    *err = DT_E_NOMEM;
    if (!b)
        return NULL;
    b->alloc = a;
    b->fd = -1;
    prepare(b);
    *err = local->family == target->family ? join(b, target, local) : DT_E_UNSUPPORTED;
    if (*err == DT_OK)
        return b;
    dt_burst_close(b);
    return NULL;
}

void dt_burst_close(struct dt_burst *b)
{
    if (!b)
        return;
    if (b->fd >= 0)
        close(b->fd);
    dt_alloc_free(b->alloc, b);
}

char *dt_burst_room(struct dt_burst *b)
{
    return b->out_buffers[b->n_out];
}

void dt_burst_put(struct dt_burst *b, size_t n)
{
    b->out_vectors[b->n_out++].iov_len = n < DT_BURST_SIZE ? n : DT_BURST_SIZE;
    if (b->n_out == DT_BURST_BATCH)
        dt_burst_flush(b);
}

/* An error is that of an earlier datagram (the peer's port is closed): it is out of the way now,
 * and the datagram that met it is tried once more. A full socket loses the rest, as a network
 * would. */
void dt_burst_flush(struct dt_burst *b)
{
    unsigned done = 0;
    for (unsigned errors = 0; done < b->n_out && errors < DT_BURST_BATCH;) {
        int sent = sendmmsg(b->fd, b->out + done, b->n_out - done, MSG_DONTWAIT);
        if (sent > 0)
            done += (unsigned)sent;
        else if (errno == EAGAIN)
            break;
        else
            errors++;
    }
    b->n_out = 0;
}

size_t dt_burst_receive(struct dt_burst *b, struct dt_str *out)
{
    int got = recvmmsg(b->fd, b->in, DT_BURST_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++)
        out[i] = (struct dt_str){b->in_buffers[i], b->in[i].msg_len};
    return got > 0 ? (size_t)got : 0;
}

uint64_t dt_burst_dropped(const struct dt_burst *b)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t n = sizeof info;
    return getsockopt(b->fd, SOL_SOCKET, SO_MEMINFO, info, &n) ? 0 : info[SK_MEMINFO_DROPS];
}

void dt_burst_wait(struct dt_burst *const *list, size_t n, dt_time until)
{
    struct pollfd fds[WAITS];
    dt_time left = until - dt_io_now();
    if (left <= 0)
        return;
    struct timespec limit = {.tv_sec = (time_t)(left / DT_SECOND),
                             .tv_nsec = (long)(left % DT_SECOND) * 1000};
    for (size_t i = 0; i < n && i < WAITS; i++)
        fds[i] = (struct pollfd){.fd = list[i]->fd, .events = POLLIN};
    ppoll(fds, n < WAITS ? n : WAITS, &limit, NULL);
}
