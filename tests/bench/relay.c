/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the kernel alone asks for the datagrams of a proxy: passes them on between the two ends of
 * `dualtone bench`, in batches, with as many bytes added as a proxy adds; no SIP is understood.
 *
 *   bench_relay PORT PORT-OF-THE-CALLING-END
 *
 * INVITE, ACK, BYE and answers go to the other end, INVITE gives a 100 as well; REGISTER and
 * OPTIONS are echoed as a 200. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 32, SIZE = 4096, OUT = 2 * BATCH, HEADERS_OF_100 = 330 };

#define PAD32 "0123456789abcdef0123456789abcdef"
static const char down[] = "X-Via: " PAD32 PAD32 PAD32 PAD32 "\r\nX-Record-Route: " PAD32 "\r\n";
static const char echoed[] = "SIP/2.0 200 OK\r\n", trying[] = "SIP/2.0 100 Trying\r\n";

static struct {
    int fd;
    struct sockaddr_in caller, callee, from[BATCH];
    struct mmsghdr in[BATCH], out[OUT];
    struct iovec in_vector[BATCH], out_vectors[OUT][3];
    char buffer[BATCH][SIZE];
    unsigned n;
} r;

static void put(struct sockaddr_in *to, const char *first, size_t n_first, const char *second,
                size_t n_second, const char *third, size_t n_third)
{
    struct iovec *v = r.out_vectors[r.n];
    v[0] = (struct iovec){(char *)(size_t)first, n_first};
    v[1] = (struct iovec){(char *)(size_t)second, n_second};
    v[2] = (struct iovec){(char *)(size_t)third, n_third};
    struct msghdr *m = &r.out[r.n++].msg_hdr;
    m->msg_name = to;
    m->msg_namelen = sizeof *to;
    m->msg_iov = v;
    m->msg_iovlen = 3;
}

static void pass(size_t i)
{
    const char *text = r.buffer[i];
    size_t n = r.in[i].msg_len;
    const char *eol = memchr(text, '\n', n);
    struct sockaddr_in *other = r.from[i].sin_port == r.caller.sin_port ? &r.callee : &r.caller;
    if (!eol)
        return;
    size_t first = (size_t)(eol + 1 - text), rest = n - first;
    if (text[0] == 'R' || text[0] == 'O') {
        put(&r.from[i], echoed, sizeof echoed - 1, text + first, rest, "", 0);
        return;
    }
    if (text[0] == 'I')
        put(&r.from[i], trying, sizeof trying - 1, text + first,
            rest < HEADERS_OF_100 ? rest : HEADERS_OF_100, "\r\n\r\n", 4);
    put(other, text, first, down, sizeof down - 1, text + first, rest);
}

static int turn(void)
{
    for (size_t i = 0; i < BATCH; i++)
        r.in[i].msg_hdr.msg_namelen = sizeof r.from[i];
    int got = recvmmsg(r.fd, r.in, BATCH, MSG_WAITFORONE, NULL);
    r.n = 0;
    for (int i = 0; i < got; i++)
        pass((size_t)i);
    for (unsigned done = 0; done < r.n;) {
        int sent = sendmmsg(r.fd, r.out + done, r.n - done, 0);
        done += sent > 0 ? (unsigned)sent : 1;
    }
    return 0;
}

static struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

int main(int argc, char **argv)
{
    const int size = 1 << 20;
    if (argc != 3) {
        fprintf(stderr, "use: bench_relay PORT PORT-OF-THE-CALLING-END\n");
        return 2;
    }
    struct sockaddr_in local = loopback(argv[1]);
    r.caller = loopback(argv[2]);
    r.callee = r.caller;
    r.callee.sin_port = htons((uint16_t)(atoi(argv[2]) + 1));
    r.fd = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(r.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (r.fd < 0 || bind(r.fd, (struct sockaddr *)&local, sizeof local)) {
        perror("bench_relay");
        return 1;
    }
    for (size_t i = 0; i < BATCH; i++) {
        r.in_vector[i] = (struct iovec){r.buffer[i], SIZE};
        r.in[i].msg_hdr =
            (struct msghdr){.msg_name = &r.from[i], .msg_iov = &r.in_vector[i], .msg_iovlen = 1};
    }
    printf("ready\n");
    fflush(stdout);
    while (turn() == 0)
        continue;
    return 0;
}
