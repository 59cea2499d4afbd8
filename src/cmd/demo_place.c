/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a demo plays: a loopback net of which nobody else has the addresses. All of 127 is this
 * machine (RFC 1122 3.2.1.3). */
#include "cmd/demo.h"
#include "io/io.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PORT = 5060,
    PARTIES = 4,
    KEEPER = 254, /* the address that says: a demo plays here */
    NETS = 8      /* that are tried */
};

/* A descriptor that holds the port there, or -1: somebody else has it. */
static int hold(const char *net, int host, int type)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    char text[INET_ADDRSTRLEN];
    int one = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    snprintf(text, sizeof text, "%s.%d", net, host);
    if (fd < 0)
        return -1;
    if (type == SOCK_STREAM) /* connections that have ended do not count */
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (inet_pton(AF_INET, text, &at.sin_addr) == 1 &&
        bind(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool is_free(const char *net, int host, int type)
{
    int fd = hold(net, host, type);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The keeper comes first: of two demos that begin at once one gets it, for as long as it plays. */
static bool take(struct demo_place *p)
{
    bool all = (p->keeper = hold(p->net, KEEPER, SOCK_DGRAM)) >= 0;
    for (int host = 1; all && host <= PARTIES; host++)
        all = is_free(p->net, host, SOCK_DGRAM) && is_free(p->net, host, SOCK_STREAM);
    if (!all)
        dt__cmd_demo_place_leave(p);
    return all;
}

bool dt__cmd_demo_place_take(struct demo_place *p)
{
    uint8_t random[2] = {0};
    snprintf(p->net, sizeof p->net, "127.0.0");
    for (int i = 0; i < NETS; i++) {
        if (take(p))
            return true;
        (void)dt_io_random(random, sizeof random);
        snprintf(p->net, sizeof p->net, "127.%d.%d", 1 + random[0] % 250, random[1]);
    }
    return false;
}

void dt__cmd_demo_place_leave(struct demo_place *p)
{
    if (p->keeper >= 0)
        close(p->keeper);
    p->keeper = -1;
}
