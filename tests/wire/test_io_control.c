/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Control sockets: who asks is answered, who misbehaves is dropped, what is left over is replaced.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/control.h"
#include "io/io.h"
#include "wirekit.h"

static char folder[64];
static char err[512];
static const struct dt_host_config plain = {.stall = DT_TIME_NEVER};

struct server {
    struct dt_host *host;
    struct dt_control *control;
    struct dt_str answer; /* none: the question itself */
    bool mute;
};

static void on_line(void *ctx, uint32_t client, struct dt_str line)
{
    struct server *s = ctx;
    if (!s->mute)
        dt_control_reply(s->control, client, s->answer.p ? s->answer : line);
    dt_control_reply(s->control, client + 1000, line); /* nobody */
    dt_control_reply(s->control, 0, line);
}

static struct dt_control *open_named(struct server *s, const char *where, const char *name,
                                     dt_time patience)
{
    const struct dt_control_config cfg = {.folder = dt_str_z(where),
                                          .name = dt_str_z(name),
                                          .line = on_line,
                                          .ctx = s,
                                          .patience = patience};
    err[0] = '\0';
    return dt_control_new(s->host, &cfg, err, sizeof err);
}

static void start(struct server *s, dt_time patience)
{
    s->host = dt_host_new(&plain, err, sizeof err);
    assert_non_null(s->host);
    s->control = open_named(s, folder, "a", patience);
    if (!s->control)
        fail_msg("%s", err);
    assert_int_equal(dt_host_start(s->host), DT_OK);
}

static void stop(struct server *s)
{
    dt_host_stop(s->host);
    dt_host_join(s->host);
    dt_control_free(s->control);
    dt_host_free(s->host);
}

static const char *path_of(const char *name)
{
    static char path[sizeof((struct sockaddr_un *)0)->sun_path];
    snprintf(path, sizeof path, "%s/phone-%s.sock", folder, name);
    return path;
}

static void ask(const char *question, struct dt_str want)
{
    struct dt_bytes *answer;
    assert_int_equal(dt_control_ask(path_of("a"), dt_str_z(question), 5 * DT_SECOND, &answer),
                     DT_OK);
    assert_true(dt_str_eq(dt_bytes_str(answer), want));
    dt_bytes_drop(answer);
}

/* A client that writes what it likes. */
static int raw(struct dt_str bytes)
{
    const struct timeval patience = {5, 0};
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(to.sun_path, sizeof to.sun_path, "%.*s", (int)sizeof to.sun_path - 1, path_of("a"));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    if (bytes.n)
        assert_int_equal(send(fd, bytes.p, bytes.n, MSG_NOSIGNAL), bytes.n);
    return fd;
}

/* By the other side, and not by our own time limit. */
static void is_closed(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, 0);
    assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
    close(fd);
}

/* ---- tests ---- */

static void questions(void **state)
{
    enum { MUCH = 3000000 };
    struct server s = {.host = NULL};
    struct stat st;
    char *big = malloc(MUCH), got[5] = "";
    (void)state;
    assert_non_null(big);
    memset(big, 'x', MUCH);
    start(&s, 0);
    assert_int_equal(stat(path_of("a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    ask("why", DT_STR("why"));
    ask("", DT_STR(""));
    /* Two at once, each with two questions in one piece. */
    int one = raw(DT_STR("a\nb\n")), two = raw(DT_STR("c\r\nd\n"));
    assert_int_equal(recv(two, got, 4, MSG_WAITALL), 4);
    assert_string_equal(got, "c\nd\n");
    assert_int_equal(recv(one, got, 4, MSG_WAITALL), 4);
    assert_string_equal(got, "a\nb\n");
    close(one);
    close(two);
    s.answer = (struct dt_str){big, MUCH};
    ask("much", s.answer);
    stop(&s);
    assert_int_equal(stat(path_of("a"), &st), -1);
    free(big);
}

/* Garbage without an end, somebody who asks and does not read, somebody who says nothing. */
static void bad_clients(void **state)
{
    enum { MUCH = 4000000 };
    struct server s = {.host = NULL};
    char *much = malloc(MUCH), garbage[DT_CONTROL_LINE + 100];
    size_t got = 0;
    (void)state;
    assert_non_null(much);
    memset(much, 'x', MUCH);
    memset(garbage, '\xff', sizeof garbage);
    start(&s, 300 * DT_MS);
    is_closed(raw((struct dt_str){garbage, sizeof garbage}));
    ask("still there", DT_STR("still there"));
    s.answer = (struct dt_str){much, MUCH};
    int slow = raw(DT_STR("why\n")), quiet = raw(DT_STR_NONE), half = raw(DT_STR("wh"));
    is_closed(quiet);
    is_closed(half);
    for (ssize_t n; (n = recv(slow, garbage, sizeof garbage, 0)) > 0;)
        got += (size_t)n;
    assert_true(got > 0 && got < MUCH); /* what the socket held, no more */
    close(slow);
    s.answer = DT_STR_NONE;
    ask("still there", DT_STR("still there"));
    stop(&s);
    free(much);
}

/* More than there are places for: who says nothing gives way in the end. */
static void too_many(void **state)
{
    struct server s = {.host = NULL};
    int fds[DT_CONTROL_CLIENTS + 3];
    (void)state;
    start(&s, 300 * DT_MS);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        fds[i] = raw(DT_STR_NONE);
    ask("in turn", DT_STR("in turn"));
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    ask("again", DT_STR("again"));
    stop(&s);
}

static void no_answer(void **state)
{
    struct server s = {.mute = true};
    struct dt_bytes *answer;
    (void)state;
    start(&s, 0);
    assert_int_equal(dt_control_ask(path_of("a"), DT_STR("why"), 100 * DT_MS, &answer),
                     DT_E_TIMEOUT);
    assert_null(answer);
    assert_int_equal(dt_control_ask(path_of("b"), DT_STR("why"), DT_SECOND, &answer), DT_E_ABSENT);
    int fd = raw(DT_STR("half a question")); /* it goes with the server */
    stop(&s);
    close(fd);
}

/* What a killed process leaves. */
static void leave_behind(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%.*s", (int)sizeof at.sun_path - 1, path_of(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    close(fd);
}

static void names(void **state)
{
    static const char *const bad[] = {"", "a/b", "a b", "a\nb",
                                      ("a-name-that-is-longer-than-the-address-of-a-socket-can-be-"
                                       "whatever-folder-it-lies-in-and-so-cannot-be-used")};
    struct server s = {.host = NULL}, other = {.host = dt_host_new(&plain, err, sizeof err)};
    struct dt_control_names *list = calloc(1, sizeof *list);
    (void)state;
    assert_non_null(list);
    leave_behind("a");
    leave_behind("gone");
    start(&s, 0);
    dt_control_list(list, dt_str_z(folder));
    assert_int_equal(list->n, 1);
    assert_string_equal(list->paths[0], path_of("a"));
    assert_null(open_named(&other, folder, "a", 0));
    assert_non_null(strstr(err, "another process answers at "));
    ask("not disturbed", DT_STR("not disturbed"));
    other.control = open_named(&other, folder, "b", 0);
    assert_non_null(other.control);
    dt_control_list(list, dt_str_z(folder));
    assert_int_equal(list->n, 2);
    dt_control_free(other.control);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(open_named(&other, folder, bad[i], 0));
        assert_non_null(strstr(err, "no socket can be named"));
    }
    dt_host_free(other.host);
    stop(&s);
    free(list);
}

static void folders(void **state)
{
    struct server s = {.host = dt_host_new(&plain, err, sizeof err)};
    struct stat st;
    char path[100], target[100];
    (void)state;
    snprintf(target, sizeof target, "%s/open", folder);
    assert_int_equal(mkdir(target, 0755), 0);
    assert_int_equal(chmod(target, 0755), 0);
    assert_null(open_named(&s, target, "a", 0));
    assert_non_null(strstr(err, "is open to others"));
    assert_int_equal(chmod(target, 0700), 0);
    snprintf(path, sizeof path, "%s/link", folder);
    assert_int_equal(symlink(target, path), 0);
    assert_null(open_named(&s, path, "a", 0)); /* somebody may have put it there */
    assert_non_null(strstr(err, "is no folder"));
    unlink(path);
    snprintf(path, sizeof path, "%s/not/there", folder);
    assert_null(open_named(&s, path, "a", 0));
    assert_non_null(strstr(err, "cannot be made"));
    snprintf(path, sizeof path, "%s/new", folder);
    s.control = open_named(&s, path, "a", 0); /* is made */
    assert_non_null(s.control);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    dt_control_free(s.control);
    dt_host_free(s.host);
    rmdir(path);
    rmdir(target);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/dualtone-control-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* nothing is left in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions), cmocka_unit_test(bad_clients), cmocka_unit_test(too_many),
        cmocka_unit_test(no_answer), cmocka_unit_test(names),       cmocka_unit_test(folders),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
