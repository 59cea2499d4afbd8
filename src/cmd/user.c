/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone user: keeps the file of subscribers. Passwords come from the terminal without echo, or
 * from standard input, and are not kept: only their digest hashes are. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/proxy.h"
#include "io/io.h"
#include "store/subscribers.h"

enum { FILE_MAX = 64 << 20, PATH_SIZE = 4096, PASSWORD_MAX = 256 };

struct user_options {
    struct dt_str realm, file;
};

struct user_job {
    const struct user_options *o;
    struct dt_str name;
    char path[PATH_SIZE];
    struct dt_bytes *text; /* of the file; NULL: not there yet */
    char password[PASSWORD_MAX];
};

static int fail(const char *sentence)
{
    fprintf(stderr, "dualtone user: %s\n", sentence);
    return DT_EXIT_FAILED;
}

/* ---- the password ---- */

static bool read_line(char *buf, size_t size)
{
    if (!fgets(buf, (int)size, stdin))
        return false;
    size_t n = strlen(buf);
    bool whole = n && buf[n - 1] == '\n';
    buf[n - whole] = '\0';
    return whole || feof(stdin);
}

static struct termios was; /* of the terminal, while it is quiet: for the handler */

/* Ctrl-C must not leave a terminal that shows nothing. A read that waits would not see a flag that
 * was set just before it, so the end is here; nothing is locked or half written yet. */
static void on_interrupt(int signo)
{
    static const char said[] = "\ndualtone user: no password was given; nothing was changed\n";
    (void)signo;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
    ssize_t ignored = write(STDERR_FILENO, said, sizeof said - 1);
    (void)ignored;
    _exit(DT_EXIT_FAILED);
}

static bool ask(const char *prompt, char *buf, size_t size)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction interrupt = {.sa_handler = on_interrupt};
    if (tcgetattr(STDIN_FILENO, &was))
        return false;
    struct termios quiet = was;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &interrupt, NULL);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet); /* before the prompt: what comes after it counts */
    fputs(prompt, stderr);
    bool good = read_line(buf, size);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], SIG_DFL);
    fputc('\n', stderr);
    return good;
}

/* NULL, or what is wrong. */
static const char *get_password(char *out, size_t size)
{
    char again[PASSWORD_MAX];
    const char *wrong = NULL;
    if (!isatty(STDIN_FILENO)) {
        if (!read_line(out, size))
            wrong = "standard input gives no password; write it as one line of at most 254 bytes";
    } else if (!ask("Password: ", out, size) || !ask("Again: ", again, sizeof again)) {
        wrong = "no password was given";
    } else if (strcmp(out, again) != 0) {
        wrong = "the two passwords differ; nothing was changed";
    }
    explicit_bzero(again, sizeof again);
    if (!wrong && !out[0])
        wrong = "the password is empty; nothing was changed";
    return wrong;
}

/* ---- the file ---- */

static int read_file(struct user_job *j)
{
    int err;
    dt_bytes_drop(j->text);
    j->text = NULL;
    if (!dt__cmd_path(j->o->file, j->path, sizeof j->path))
        return fail("the name of the file is too long");
    j->text = dt_io_file_read(&dt_alloc_libc, j->path, FILE_MAX, &err);
    if (j->text || err == DT_E_ABSENT)
        return DT_EXIT_GOOD;
    fprintf(stderr, "dualtone user: %s cannot be read: %s\n", j->path, dt_err_text(err));
    return DT_EXIT_FAILED;
}

static int write_file(const struct user_job *j, struct dt_bytes *text)
{
    int err = dt_io_file_write(j->path, dt_bytes_str(text), 0600);
    dt_bytes_drop(text);
    if (!err)
        return DT_EXIT_GOOD;
    fprintf(stderr, "dualtone user: %s cannot be written: %s\n", j->path, dt_err_text(err));
    return DT_EXIT_FAILED;
}

static bool is_there(const struct user_job *j)
{
    struct dt_str rest = dt_bytes_str(j->text);
    struct dt_subscriber s;
    while (dt_subscribers_next(&rest, &s))
        if (dt_str_eq(s.user, j->name) && dt_str_ieq(s.realm, j->o->realm))
            return true;
    return false;
}

/* ---- what can be done: a row each ---- */

static int refuse_name(const struct user_job *j, const char *why)
{
    fprintf(stderr, "dualtone user: %.*s (realm %.*s) %s\n", DT_FMT(j->name), DT_FMT(j->o->realm),
            why);
    return DT_EXIT_FAILED;
}

static int check_add(const struct user_job *j)
{
    return is_there(j) ? refuse_name(j, "is there already; use `dualtone user passwd`")
                       : DT_EXIT_GOOD;
}

static int check_there(const struct user_job *j)
{
    return is_there(j) ? DT_EXIT_GOOD
                       : refuse_name(j, "is not there; `dualtone user list` shows who is, "
                                        "`dualtone user add` adds");
}

static int do_put(struct user_job *j)
{
    struct dt_bytes *out;
    int err = dt_subscribers_put(&dt_alloc_libc, dt_io_hash, dt_bytes_str(j->text), j->name,
                                 j->o->realm, dt_str_z(j->password), &out);
    return err ? fail(dt_err_text(err)) : write_file(j, out);
}

static int do_delete(struct user_job *j)
{
    struct dt_bytes *out;
    int err =
        dt_subscribers_remove(&dt_alloc_libc, dt_bytes_str(j->text), j->name, j->o->realm, &out);
    return err ? fail(dt_err_text(err)) : write_file(j, out);
}

static int do_list(struct user_job *j)
{
    struct dt_str rest = dt_bytes_str(j->text);
    struct dt_subscriber s;
    while (dt_subscribers_next(&rest, &s))
        printf("%.*s %.*s %s\n", DT_FMT(s.user), DT_FMT(s.realm),
               s.hash == DT_HASH_SHA256 ? "SHA-256" : "MD5");
    return DT_EXIT_GOOD;
}

static const struct verb {
    const char *name;
    bool asks;                                /* for a password */
    int (*check)(const struct user_job *job); /* NULL: takes no NAME and changes nothing */
    int (*run)(struct user_job *j);
} verbs[] = {
    {"add", true, check_add, do_put},
    {"passwd", true, check_there, do_put},
    {"delete", false, check_there, do_delete},
    {"list", false, NULL, do_list},
};

static const struct verb *find_verb(const struct dt_str_list *args)
{
    for (size_t i = 0; args->n && i < sizeof verbs / sizeof verbs[0]; i++)
        if (dt_str_eq(args->items[0], dt_str_z(verbs[i].name)) &&
            args->n == 1 + (size_t)(verbs[i].check != NULL))
            return &verbs[i];
    return NULL;
}

/* Whoever else changes the file meanwhile waits. */
static int change(struct user_job *j, const struct verb *verb)
{
    int fd = dt_io_file_lock(j->path);
    int code = fd < 0 ? DT_EXIT_FAILED : read_file(j);
    if (fd < 0)
        fprintf(stderr, "dualtone user: %s cannot be written: %s\n", j->path, dt_err_text(fd));
    if (code == DT_EXIT_GOOD)
        code = verb->check(j);
    if (code == DT_EXIT_GOOD)
        code = verb->run(j);
    dt_io_file_unlock(fd);
    return code;
}

/* Looks before it asks for a password, and again when it has it. */
static int run_verb(struct user_job *j, const struct verb *verb)
{
    int code = read_file(j);
    if (code == DT_EXIT_GOOD && verb->check)
        code = verb->check(j);
    if (code == DT_EXIT_GOOD && verb->asks) {
        const char *wrong = get_password(j->password, sizeof j->password);
        code = wrong ? fail(wrong) : DT_EXIT_GOOD;
    }
    if (code != DT_EXIT_GOOD)
        return code;
    return verb->check ? change(j, verb) : verb->run(j);
}

static int run(const struct dt_command *c, struct dt_cmd_line *line)
{
    struct user_job j = {.o = line->options};
    const struct verb *verb = find_verb(&line->args);
    (void)c;
    if (!verb) {
        fail("say add NAME, passwd NAME, delete NAME or list; \"dualtone user --help\" tells more");
        return DT_EXIT_USAGE;
    }
    if (verb->check)
        j.name = line->args.items[1];
    if (verb->check && !dt_subscriber_name_ok(j.name)) {
        fail("a user name has no blanks, colons, quotes, # or \\, and at most 128 bytes");
        return DT_EXIT_USAGE;
    }
    int code = run_verb(&j, verb);
    explicit_bzero(j.password, sizeof j.password);
    dt_bytes_drop(j.text);
    return code;
}

static const struct dt_option options[] = {
    {.name = "realm",
     .type = DT_OPTION_TEXT,
     .offset = offsetof(struct user_options, realm),
     .preset = "localhost",
     .help = "the proxy's domain"},
    {.name = "file",
     .type = DT_OPTION_TEXT,
     .offset = offsetof(struct user_options, file),
     .preset = "subscribers",
     .help = "the file of subscribers"},
};

const struct dt_command dt_cmd_user = {
    .name = "user",
    .arguments = "add|passwd|delete NAME, or list",
    .summary = "keeps the proxy's file of subscribers",
    .details = "The password is asked for on the terminal, or read as one line from standard "
               "input. The file holds\ndigest hashes only. A running proxy reads it anew on "
               "SIGHUP.",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .target_size = sizeof(struct user_options),
    .run = run,
};
