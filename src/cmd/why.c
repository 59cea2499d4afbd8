/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dualtone why: asks a running phone, by its control socket, and says the answer in words. */
#include "cmd/why.h"

#include <string.h>

#include "cmd/command.h"
#include "io/control.h"

struct why_options {
    struct dt_str phone, run_folder;
    int64_t json, timeout;
};

static int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("dualtone why: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
    return DT_EXIT_FAILED;
}

/* ---- which phone ---- */

/* NAME of .../phone-NAME.sock. */
static struct dt_str name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct dt_str file = dt_str_z(slash ? slash + 1 : path);
    size_t around = sizeof "phone-" - 1 + sizeof ".sock" - 1;
    return file.n > around ? dt_str_sub(file, sizeof "phone-" - 1, file.n - around) : DT_STR_NONE;
}

/* Leaves the sockets that are meant and whose process runs. */
static void keep_live(struct dt_control_names *names, struct dt_str wanted)
{
    size_t n = 0;
    for (size_t i = 0; i < names->n; i++) {
        if (wanted.n && !dt_str_eq(name_of(names->paths[i]), wanted))
            continue;
        int err = dt_control_try(names->paths[i]);
        if (err != DT_E_REFUSED && err != DT_E_ABSENT)
            memmove(names->paths[n++], names->paths[i], DT_CONTROL_PATH);
    }
    names->n = n;
}

static void write_folders(struct dt_writer *w, struct dt_str given)
{
    char folder[DT_CONTROL_PATH];
    if (given.n)
        dt_write(w, given);
    for (unsigned i = 0; !given.n && dt_control_folder(i, folder, sizeof folder); i++)
        if (folder[0])
            dt_writef(w, "%s%s", w->n ? ", " : "", folder);
}

static int choose(struct dt_control_names *names, const struct why_options *o)
{
    char where[512];
    struct dt_writer w = dt_writer(where, sizeof where);
    dt_control_list(names, o->run_folder);
    keep_live(names, o->phone);
    if (names->n == 1)
        return DT_EXIT_GOOD;
    if (names->n > 1) {
        fail("several phones run; name one with --phone:");
        for (size_t i = 0; i < names->n; i++)
            fprintf(stderr, "  %.*s (%s)\n", DT_FMT(name_of(names->paths[i])), names->paths[i]);
        return DT_EXIT_USAGE;
    }
    write_folders(&w, o->run_folder);
    if (o->phone.n)
        return fail("no phone named %.*s runs; looked in %.*s", DT_FMT(o->phone),
                    DT_FMT(dt_writer_str(&w)));
    return fail("no phone runs; looked in %.*s", DT_FMT(dt_writer_str(&w)));
}

/* ---- the question ---- */

/* "why call 1"; words with blanks or quotes are none that a phone knows. */
static int write_question(struct dt_writer *w, const struct dt_str_list *args)
{
    static const char *const subjects[] = {"call", "target"};
    bool known = !args->n;
    for (size_t i = 0; args->n && i < sizeof subjects / sizeof *subjects; i++)
        known = known || dt_str_eq(args->items[0], dt_str_z(subjects[i]));
    if (!known || args->n > 2) {
        fail("\"%.*s\" is not understood; use why, why call [WHICH] or why target [WHICH]",
             DT_FMT(args->items[known ? 2 : 0]));
        return DT_EXIT_USAGE;
    }
    dt_write_lit(w, "why");
    for (size_t i = 0; i < args->n; i++) {
        struct dt_str word = args->items[i];
        for (size_t k = 0; k < word.n; k++)
            if (word.p[k] <= ' ' || word.p[k] == '"' || word.p[k] == 0x7f)
                w->err = DT_E_SYNTAX;
        dt_write_char(w, ' ');
        dt_write(w, word);
    }
    if (!w->err && !(args->n == 2 && !args->items[1].n))
        return DT_EXIT_GOOD;
    fail("\"%.*s\" names no call or target", DT_FMT(dt_str_sub(args->items[args->n - 1], 0, 60)));
    return DT_EXIT_USAGE;
}

/* ---- the answer ---- */

static int print_answer(const struct why_options *o, struct dt_str text)
{
    json_error_t error;
    json_t *document = json_loadb(text.p, text.n, 0, &error);
    int code = DT_EXIT_GOOD;
    if (!document)
        return fail("the phone's answer cannot be read: %s", error.text);
    const char *wrong = json_string_value(json_object_get(document, "error"));
    if (wrong)
        code = fail("%s", wrong);
    if (o->json)
        printf("%.*s\n", DT_FMT(text));
    else if (!wrong)
        dt__cmd_why_print(stdout, document);
    json_decref(document);
    return code;
}

static int explain(int err, const char *path)
{
    struct dt_str name = name_of(path);
    if (err == DT_E_TIMEOUT)
        return fail("phone %.*s does not answer; is its process stopped?", DT_FMT(name));
    if (err == DT_E_PERMISSION)
        return fail("phone %.*s is somebody else's; ask as that user", DT_FMT(name));
    return fail("phone %.*s cannot be asked: %s", DT_FMT(name), dt_err_text(err));
}

static int run(const struct dt_command *c, struct dt_cmd_line *line)
{
    const struct why_options *o = line->options;
    char question[DT_CONTROL_LINE - 1];
    struct dt_writer w = dt_writer(question, sizeof question);
    struct dt_bytes *answer = NULL;
    (void)c;
    int code = write_question(&w, &line->args);
    if (code)
        return code;
    struct dt_control_names *names = dt_alloc_zero(&dt_alloc_libc, sizeof *names);
    if (!names)
        return fail("%s", dt_err_text(DT_E_NOMEM));
    code = choose(names, o);
    if (!code) {
        int err = dt_control_ask(names->paths[0], dt_writer_str(&w), o->timeout * DT_MS, &answer);
        code = err ? explain(err, names->paths[0]) : print_answer(o, dt_bytes_str(answer));
    }
    dt_bytes_drop(answer);
    dt_alloc_free(&dt_alloc_libc, names);
    return code;
}

#define ROW(name_, type_, field_, preset_, help_) \
    .name = (name_), .type = (type_), .offset = offsetof(struct why_options, field_), \
    .preset = (preset_), .help = (help_)
static const struct dt_option options[] = {
    {ROW("phone", DT_OPTION_TEXT, phone, NULL,
         "NAME of the phone, where several run: its --run-name, or its process id")},
    {ROW("run_folder", DT_OPTION_TEXT, run_folder, NULL,
         "folder of the phones' sockets; default: the folders where phones make them")},
    {ROW("json", DT_OPTION_SWITCH, json, "0", "the document as the phone gave it, for programs")},
    {ROW("timeout", DT_OPTION_NUMBER, timeout, "3000", "how long an answer is waited for"),
     .min = 10, .max = 60000, .unit = "ms"},
};

const struct dt_command dt_cmd_why = {
    .name = "why",
    .arguments = "[call [WHICH] | target [WHICH]] [OPTION ...]",
    .summary = "asks a running phone what it tries, and why",
    .details = "Without arguments it tells of all targets and calls. WHICH is the number of a "
               "call, the number\nor URI that was dialled, or a Call-ID; of a target its address. "
               "The last calls that ended are\nknown too.\n\n"
               "For a target: its health, with the evidence for it, who it is, and when it is "
               "probed next.\nFor a call: the candidates, the paths with what each answered, "
               "each decision with its reason,\nand what comes next.\n\n"
               "Example: dualtone why call 1002",
    .options = options,
    .n_options = sizeof options / sizeof options[0],
    .target_size = sizeof(struct why_options),
    .run = run,
};
