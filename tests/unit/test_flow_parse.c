/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The flow language's parser: what statements mean, what is said about wrong ones, and files cut
 * off anywhere. */
#include "../sim/kit.h"

#include <stdio.h>
#include <string.h>

/* What stands before each line of the tables; their line is the seventh. */
#define PARTIES \
    "flow t\nproxy P\nproxy S\nphone A 1 primary P\nphone B 2 off\n" \
    "foreign F 3 at 127.0.0.9:5060\n"
enum { TEXT_SIZE = 2048, PROBLEMS = 4 };

/* Parses; returns the problems, a line each. */
static int parse(const struct dt_alloc *a, struct dt_str text, struct dt_flow **out, char *said,
                 size_t size)
{
    struct dt_problem list[PROBLEMS];
    struct dt_problems problems = {.list = list, .cap = PROBLEMS};
    struct dt_writer w = dt_writer(said, size - 1);
    int err = dt_flow_parse(a, DT_STR("t.flow"), text, &problems, out);
    for (size_t i = 0; i < problems.n && i < PROBLEMS; i++)
        dt_writef(&w, "%s%s", i ? "\n" : "", list[i].text);
    said[w.n] = '\0';
    assert_int_equal(err == DT_E_SYNTAX, problems.n > 0);
    assert_int_equal(err == DT_OK, *out != NULL);
    return err;
}

/* ---- bad lines ---- */

static const struct {
    const char *line, *problem; /* behind "t.flow:7:" */
} bad_lines[] = {
    {"flow again", "1: \"flow\" stands twice; a file is one flow"},
    {"flow", "5: the line ends here; use: flow NAME \"TITLE\""},
    {"flow x y z", "1: \"flow\" stands twice; a file is one flow"},
    {"flow \"\"", "6: \"\" is not right here; use: flow NAME \"TITLE\""},
    {"proxy", "6: the line ends here; use a name of 1 to 31 letters, digits, - or _ that begins "
              "with a letter"},
    {"proxy 1st", "7: \"1st\" is not right here; use a name of 1 to 31 letters, digits, - or _ "
                  "that begins with a letter"},
    {"proxy a-name-that-is-longer-than-31-char",
     "7: \"a-name-that-is-longer-than-31-char\" is not right here; use a name of 1 to 31 letters, "
     "digits, - or _ that begins with a letter"},
    {"proxy \"two words\"", "7: \"two words\" is not right here; use a name of 1 to 31 letters, "
                            "digits, - or _ that begins with a letter"},
    {"proxy end", "7: \"end\" is a word of the language; use another name"},
    {"proxy phones", "7: \"phones\" is a word of the language; use another name"},
    {"proxy P", "7: \"P\" is declared twice; use another name"},
    {"proxy X digest", "9: \"digest\" is not known here; use: proxy NAME [auth]"},
    {"phone X",
     "8: the line ends here; use: phone NAME NUMBER [primary P] [backup P] [register both] ..."},
    {"phone X 4 primary", "18: the line ends here; name a party"},
    {"phone X 4 primary A", "19: \"A\" is a phone; name a proxy"},
    {"phone X 4 primary N", "19: \"N\" is no party of this flow; declare it with \"proxy\", "
                            "\"phone\" or \"foreign\" first"},
    {"phone X 4 backup P", "1: \"phone\" has a backup without a primary; add: primary P"},
    {"phone X 4 primary P register both",
     "1: \"phone\" registers at both, but has one proxy; add: backup P"},
    {"phone X 4 register twice", "20: \"twice\" is not known; use: register primary, both or none"},
    {"phone X 4 register", "19: the line ends here; use: register primary, both or none"},
    {"phone X 4 password", "19: the line ends here; use: password \"TEXT\""},
    {"phone X 4 password \"\"", "20: \"\" is not right here; use: password \"TEXT\""},
    {"phone X 4 on", "11: \"on\" is not known here; use primary P, backup P, register HOW, "
                     "password \"TEXT\" or off"},
    {"phone X 1", "9: \"1\" is the number of another party; use another one"},
    {"foreign X", "10: the line ends here; use: foreign NAME NUMBER at IP:PORT"},
    {"foreign X 4", "12: the line ends here; use: foreign NAME NUMBER at IP:PORT"},
    {"foreign X 4 by 127.0.0.1:5060",
     "13: \"by\" is not right here; use: foreign NAME NUMBER at IP:PORT"},
    {"foreign X 4 at 127.0.0.1", "16: \"127.0.0.1\" is no address; use IP:PORT, as 127.0.0.9:5060"},
    {"foreign X 4 at example.com:5060",
     "16: \"example.com:5060\" is no address; use IP:PORT, as 127.0.0.9:5060"},
    {"foreign X 4 at 127.0.0.1:5060 udp",
     "31: \"udp\" is not right here; use: foreign NAME NUMBER at IP:PORT"},
    {"foreign X 3 at 127.0.0.1:5060", "11: \"3\" is the number of another party; use another one"},
    {"set",
     "4: the line ends here; use: set PARTY PARAMETER VALUE (or: set phones ..., set proxies ...)"},
    {"set A",
     "6: the line ends here; use: set PARTY PARAMETER VALUE (or: set phones ..., set proxies ...)"},
    {"set A dnd_control", "18: the line ends here; use: set PARTY PARAMETER VALUE (or: set phones "
                          "..., set proxies ...)"},
    {"set A dnd_control 1 2", "21: \"2\" is not right here; use: set PARTY PARAMETER VALUE (or: "
                              "set phones ..., set proxies ...)"},
    {"set N dnd_control 1", "5: \"N\" is no party of this flow; declare it with \"proxy\", "
                            "\"phone\" or \"foreign\" first"},
    {"set F dnd_control 1", "5: \"F\" is foreign: nothing of it can be set here"},
    {"pair", "5: the line ends here; name a party"},
    {"pair P", "7: the line ends here; name a party"},
    {"pair P N", "8: \"N\" is no party of this flow; declare it with \"proxy\", \"phone\" or "
                 "\"foreign\" first"},
    {"pair A S", "6: \"A\" is no proxy; a pair is two proxies"},
    {"pair P F", "8: \"F\" is no proxy; a pair is two proxies"},
    {"pair P P", "8: \"P\" is the same proxy; name another one"},
    {"pair P S P", "10: \"P\" is too much; use: pair PROXY PROXY"},
    {"proxy pair", "7: \"pair\" is a word of the language; use another name"},
    {"blackhole", "10: the line ends here; name a party"},
    {"blackhole N", "11: \"N\" is no party of this flow; declare it with \"proxy\", \"phone\" or "
                    "\"foreign\" first"},
    {"kill P now", "8: \"now\" is too much; use: blackhole, kill, hang, wake or restart PARTY"},
    {"hang F", "6: \"F\" is foreign: it does not run here"},
    {"wait", "5: the line ends here; use SECONDS, as 2.5"},
    {"wait soon", "6: \"soon\" is no time; use seconds, as 2.5"},
    {"wait 1.", "6: \"1.\" is no time; use seconds, as 2.5"},
    {"wait 1.2.3", "6: \"1.2.3\" is no time; use seconds, as 2.5"},
    {"wait 0.1234567", "6: \"0.1234567\" is no time; use seconds, as 2.5"},
    {"wait 9999999", "6: \"9999999\" is no time; use seconds, as 2.5"},
    {"wait 1 2", "8: \"2\" is too much; use: wait SECONDS or hear SECONDS"},
    {"hear", "5: the line ends here; use SECONDS, as 2.5"},
    {"hear -1", "6: \"-1\" is no time; use seconds, as 2.5"},
    {"ringing", "8: the line ends here; name at least one phone"},
    {"ringing N", "9: \"N\" is no party of this flow; declare it with \"proxy\", \"phone\" or "
                  "\"foreign\" first"},
    {"talking A P", "11: \"P\" is no phone of this flow: it cannot be asked"},
    {"ended F", "7: \"F\" is no phone of this flow: it cannot be asked"},
    {"registered A \"B\" N", "18: \"N\" is no party of this flow; declare it with \"proxy\", "
                             "\"phone\" or \"foreign\" first"},
    {"unordered now", "11: \"now\" is too much; this word stands alone"},
    {"end", "1: \"end\" closes no block; it belongs to \"unordered\""},
    {"N dials 1", "1: \"N\" is no party of this flow; declare it with \"proxy\", \"phone\" or "
                  "\"foreign\" first"},
    {"A", "2: the line ends here; use dials NUMBER, answers, rejects, hangs up, holds, resumes, "
          "starts, shows \"TEXT\", or -> PARTY MESSAGE"},
    {"A sings", "3: \"sings\" is nothing that a party does; use dials NUMBER, answers, rejects, "
                "hangs up, holds, resumes, starts, shows \"TEXT\", or -> PARTY MESSAGE"},
    {"A dials", "8: the line ends here; name a number"},
    {"A dials \"\"", "9: \"\" is not right here; name a number"},
    {"A dials 2 3", "11: \"3\" is too much here"},
    {"A answers now", "11: \"now\" is too much here"},
    {"A hangs", "8: the line ends here; use: hangs up"},
    {"A hangs on", "9: \"on\" is not right here; use: hangs up"},
    {"A hangs up now", "12: \"now\" is too much here"},
    {"A shows", "8: the line ends here; use: shows \"TEXT\""},
    {"A shows x y", "11: \"y\" is too much here"},
    {"A starts", "1: \"A\" runs from the beginning; declare it \"off\" to start it here"},
    {"P answers", "1: \"P\" is no phone of this flow: nobody sits there"},
    {"F answers", "1: \"F\" is no phone of this flow: nobody sits there"},
    {"B starts now", "10: \"now\" is too much here"},
    {"A ->", "5: the line ends here; name a party"},
    {"A -> N INVITE", "6: \"N\" is no party of this flow; declare it with \"proxy\", \"phone\" or "
                      "\"foreign\" first"},
    {"N -> A INVITE", "1: \"N\" is no party of this flow; declare it with \"proxy\", \"phone\" or "
                      "\"foreign\" first"},
    {"A -> A INVITE", "6: \"A\" is the sender; name another party"},
    {"A -> B", "7: the line ends here; name a method (INVITE) or a status (180)"},
    {"A -> B 99", "8: \"99\" is no status; use 100 to 699"},
    {"A -> B 700", "8: \"700\" is no status; use 100 to 699"},
    {"A -> B 2OO", "8: \"2OO\" is no status; use 100 to 699"},
    {"A -> B invite",
     "8: \"invite\" is no SIP method; use INVITE, ACK, BYE, CANCEL, REGISTER, ..."},
    {"A -> B INVITE x0", "15: \"x0\" is no count; use x1 to x1000"},
    {"A -> B INVITE x1001", "15: \"x1001\" is no count; use x1 to x1000"},
    {"A -> B INVITE x1x", "15: \"x1x\" is no count; use x1 to x1000"},
    {"A -> B INVITE at", "17: the line ends here; use: at SECONDS ..."},
    {"A -> B INVITE at noon", "18: \"noon\" is no time; use seconds, as 0.5"},
    {"A -> B INVITE at 1 1.x", "20: \"1.x\" is no time; use seconds, as 0.5"},
    {"A -> B INVITE at 1 2", "21: the line ends here; give one time, or as many as xN says"},
    {"A -> B INVITE x3 at 1 2", "24: the line ends here; give one time, or as many as xN says"},
    {"A -> B INVITE at 1 at 2", "20: \"at\" stands twice; write all times behind one \"at\""},
    {"A -> B INVITE x17 at 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
     "61: \"17\" is one time too many; a step has at most 16"},
    {"A -> B INVITE has", "18: the line ends here; use: has \"TEXT\" or lacks \"TEXT\""},
    {"A -> B INVITE lacks \"\"", "21: \"\" is not right here; use: has \"TEXT\" or lacks \"TEXT\""},
    {"A -> B INVITE has a has b has c has d has e",
     "39: \"has\" is one condition too many; a step has at most 4"},
    {"A -> B 200 INVITE now",
     "19: \"now\" is not known here; use xN, at SECONDS, has \"TEXT\" or lacks \"TEXT\""},
    {"optional", "9: the line ends here; use: optional PARTY -> PARTY MESSAGE"},
    {"optional A", "11: the line ends here; use: optional PARTY -> PARTY MESSAGE"},
    {"optional A dials 2", "12: \"dials\" is not right here; use: optional PARTY -> PARTY MESSAGE"},
    {"optional A -> B", "16: the line ends here; name a method (INVITE) or a status (180)"},
    {"\"wait\" 2", "1: \"wait\" is no party of this flow; declare it with \"proxy\", \"phone\" or "
                   "\"foreign\" first"},
    {"A says \"not closed", "8: a quote is opened here and not closed"},
    {"A 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 "
     "34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64",
     "183: the line has more than 64 words; use fewer"},
};

static void test_bad_lines(void **state)
{
    struct kit_alloc k;
    (void)state;
    for (size_t i = 0; i < sizeof bad_lines / sizeof *bad_lines; i++) {
        char text[TEXT_SIZE], said[TEXT_SIZE], want[TEXT_SIZE];
        bool last = strcmp(bad_lines[i].line, "A starts") == 0; /* it would be a step */
        struct dt_flow *f = NULL;
        snprintf(text, sizeof text, PARTIES "%s\n%s", bad_lines[i].line, last ? "" : "wait 1\n");
        snprintf(want, sizeof want, "t.flow:7:%s", bad_lines[i].problem);
        kit_alloc_init(&k);
        assert_int_equal(parse(&k.alloc, dt_str_z(text), &f, said, sizeof said), DT_E_SYNTAX);
        kit_assert_str(dt_str_z(said), want);
        assert_int_equal(k.live, 0);
    }
}

static const struct {
    const char *text, *problems;
} bad_files[] = {
    {"", "t.flow:1:1: the file has no line: flow NAME \"TITLE\""},
    {"flow t\n", "t.flow:1:1: the flow has no steps"},
    {"flow t\nphone A 1\n", "t.flow:2:1: the flow has no steps"},
    {"# nothing\n\n", "t.flow:2:1: the file has no line: flow NAME \"TITLE\""},
    {"phone A 1\nwait 1\n", "t.flow:2:1: the file has no line: flow NAME \"TITLE\""},
    {"flow t\nphone A 1\nwait 1\nproxy P\n",
     "t.flow:4:1: \"proxy\" must stand before the first step"},
    {"flow t\nphone A 1\nunordered\n", "t.flow:3:1: the flow has no steps"},
    {"flow t\nphone A 1\nunordered\nA dials 2\nend\nwait 1\n",
     "t.flow:4:1: \"A\" stands in an unordered block, where only messages may"},
    {"flow t\nphone A 1\nunordered\nwait 1\nunordered\nend\n",
     "t.flow:4:1: \"wait\" stands in an unordered block, where only messages may\nt.flow:5:1: "
     "\"unordered\" stands inside another block; close that one with \"end\" first"},
    {"flow t\nset phones x 1\nphone A 1\nwait 1\n",
     "t.flow:2:5: \"phones\" are none yet; write this line behind theirs"},
    {"flow t\nproxy P\nproxy S\nproxy T\npair P S\npair T S\nwait 1\n",
     "t.flow:6:8: \"S\" is in a pair already"},
    {"flow t\nproxy P\nproxy S\nwait 1\npair P S\n",
     "t.flow:5:1: \"pair\" must stand before the first step"},
    {"flow t\nphone A 1 off\nA starts\nA starts\n",
     "t.flow:4:1: \"A\" was started before; use: restart PARTY"},
    {"flow t\nphone A 1\nN -> A INVITE\nwait x\nB dials 1\n",
     "t.flow:3:1: \"N\" is no party of this flow; declare it with \"proxy\", \"phone\" or "
     "\"foreign\" first\nt.flow:4:6: \"x\" is no time; use seconds, as 2.5\nt.flow:5:1: \"B\" is "
     "no party of this flow; declare it with \"proxy\", \"phone\" or \"foreign\" first"},
    {"flow t\nphone A 1\nset A a 1\nset A b 1\nset A c 1\nset A d 1\nset A e 1\nset A f 1\nset A g "
     "1\nset A h 1\nset A i 1\nwait 1\n",
     "t.flow:11:7: \"i\" is one setting too many; a party has at most 8"},
};

static void test_bad_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; i++) {
        char said[TEXT_SIZE];
        struct dt_flow *f = NULL;
        parse(&dt_alloc_libc, dt_str_z(bad_files[i].text), &f, said, sizeof said);
        kit_assert_str(dt_str_z(said), bad_files[i].problems);
        assert_null(f);
    }
}

static void test_too_many(void **state)
{
    char text[TEXT_SIZE * 4], said[TEXT_SIZE];
    struct dt_flow *f = NULL;
    (void)state;
    struct dt_writer w = dt_writer(text, sizeof text);
    dt_write_lit(&w, "flow t\n");
    for (int i = 1; i <= 17; i++)
        dt_writef(&w, "phone p%d %d\n", i, i);
    dt_write_lit(&w, "wait 1\n");
    parse(&dt_alloc_libc, dt_writer_str(&w), &f, said, sizeof said);
    kit_assert_str(dt_str_z(said),
                   "t.flow:18:7: \"p17\" is one party too many; a flow has at most 16");
    w = dt_writer(text, sizeof text);
    dt_write_lit(&w, PARTIES "unordered\n");
    for (int i = 0; i < 65; i++)
        dt_write_lit(&w, "A -> B INVITE\n");
    dt_write_lit(&w, "end\n");
    parse(&dt_alloc_libc, dt_writer_str(&w), &f, said, sizeof said);
    kit_assert_str(dt_str_z(said), "t.flow:72:1: \"A\" is one message too many; an unordered block "
                                   "has at most 64");
}

/* ---- good ones ---- */

static const char good[] = "# a comment\n"
                           "\n"
                           "  flow t1 \"Every statement\"   # another\n"
                           "proxy P auth\r\n"
                           "proxy S\n"
                           "phone A 1001 primary P backup S register both password \"one two\"\n"
                           "phone B 1002 primary P off\n"
                           "phone C 1003\n"
                           "foreign F 1004 at 127.0.0.9:5070\n"
                           "set A dnd_control 1\n"
                           "set phones timer_t2 \"4000\"\n"
                           "set proxies domain x\n"
                           "pair S P\n"
                           "B starts\n"
                           "blackhole P\n"
                           "wait 2.5\n"
                           "hear 4\n"
                           "A dials 1002\n"
                           "A -> S INVITE x2 at 0 0.5 has \"CSeq: 1\" lacks Route\n"
                           "optional S -> A 100\n"
                           "unordered\n"
                           "S -> B INVITE at 1\n"
                           "S -> A 180 INVITE\n"
                           "end\n"
                           "unordered\n"
                           "B -> F 200\n"
                           "end\n"
                           "ringing A B\n"
                           "A shows \"Ringing 1002\"\n"
                           "A hangs up\n";

static const struct {
    unsigned line;
    enum dt_flow_step_kind kind;
    int party, to;
    const char *text, *method;
    int status;
    unsigned count, block;
    size_t times;
    dt_time first;
    bool flag; /* optional or unscaled */
} steps[] = {
    {14, DT_FLOW_START, 3, -1, "", "", 0, 1, 0, 0, 0, false},
    {15, DT_FLOW_FAULT, 0, -1, "blackhole", "", 0, 1, 0, 0, 0, false},
    {16, DT_FLOW_WAIT, -1, -1, "", "", 0, 1, 0, 1, 2500 * DT_MS, false},
    {17, DT_FLOW_WAIT, -1, -1, "", "", 0, 1, 0, 1, 4 * DT_SECOND, true},
    {18, DT_FLOW_DO, 2, -1, "dial ", "1002", 0, 1, 0, 0, 0, false},
    {19, DT_FLOW_MESSAGE, 2, 1, "", "INVITE", 0, 2, 0, 2, 0, false},
    {20, DT_FLOW_MESSAGE, 1, 2, "", "", 100, 1, 0, 0, 0, true},
    {22, DT_FLOW_MESSAGE, 1, 3, "", "INVITE", 0, 1, 1, 1, DT_SECOND, false},
    {23, DT_FLOW_MESSAGE, 1, 2, "", "INVITE", 180, 1, 1, 0, 0, false},
    {26, DT_FLOW_MESSAGE, 3, 5, "", "", 200, 1, 2, 0, 0, false},
    {28, DT_FLOW_STATE, 2, -1, "", "", 0, 1, 0, 0, 0, false},
    {28, DT_FLOW_STATE, 3, -1, "", "", 0, 1, 0, 0, 0, false},
    {29, DT_FLOW_SHOWS, 2, -1, "Ringing 1002", "", 0, 1, 0, 0, 0, false},
    {30, DT_FLOW_DO, 2, -1, "hangup", "", 0, 1, 0, 0, 0, false},
};

static void check_parties(const struct dt_flow *f)
{
    const struct dt_flow_party *p = f->parties;
    char text[DT_ADDR_TEXT_MAX];
    kit_assert_str(f->name, "t1");
    kit_assert_str(f->title, "Every statement");
    assert_int_equal(f->n_parties, 6);
    assert_true(p[0].role == DT_FLOW_PROXY && p[0].auth && !p[1].auth);
    assert_true(p[0].peer == 1 && p[1].peer == 0 && p[2].peer == -1);
    assert_true(p[2].role == DT_FLOW_PHONE && p[2].primary == 0 && p[2].backup == 1);
    assert_int_equal(p[2].registers, DT_FLOW_REGISTER_BOTH);
    kit_assert_str(p[2].password, "one two");
    assert_true(p[3].off && !p[2].off);
    assert_int_equal(p[3].registers, DT_FLOW_REGISTER_PRIMARY);
    assert_int_equal(p[4].registers, DT_FLOW_REGISTER_NONE);
    assert_true(p[5].role == DT_FLOW_FOREIGN);
    kit_assert_str(p[5].number, "1004");
    kit_assert_str(dt_str_z(dt_addr_text(&p[5].at, text)), "127.0.0.9:5070");
    assert_int_equal(p[2].n_sets, 2);
    kit_assert_str(p[2].sets[0].name, "dnd_control");
    kit_assert_str(p[2].sets[1].value, "4000");
    assert_true(p[0].n_sets == 1 && p[1].n_sets == 1 && p[4].n_sets == 1 && p[5].n_sets == 0);
}

static void test_good(void **state)
{
    struct kit_alloc k;
    (void)state;
    kit_alloc_init(&k);
    struct dt_flow *f = kit_flow(&k.alloc, "t", dt_str_z(good));
    check_parties(f);
    assert_int_equal(f->n_steps, sizeof steps / sizeof *steps);
    for (size_t i = 0; i < f->n_steps; i++) {
        const struct dt_flow_step *s = &f->steps[i];
        assert_int_equal(s->line, steps[i].line);
        assert_int_equal(s->column, 1);
        assert_int_equal(s->kind, steps[i].kind);
        assert_int_equal(s->party, steps[i].party);
        assert_int_equal(s->to, steps[i].to);
        kit_assert_str(s->text, steps[i].text);
        kit_assert_str(s->method, steps[i].method);
        assert_int_equal(s->status, steps[i].status);
        assert_int_equal(s->count, steps[i].count);
        assert_int_equal(s->block, steps[i].block);
        assert_int_equal(s->n_times, steps[i].times);
        assert_int_equal(s->times[0], steps[i].first);
        assert_int_equal(s->optional || s->unscaled, steps[i].flag);
    }
    assert_int_equal(f->steps[5].times[1], 500 * DT_MS);
    assert_true(f->steps[5].n_has == 2 && !f->steps[5].has[0].lacks && f->steps[5].has[1].lacks);
    kit_assert_str(f->steps[5].has[0].text, "CSeq: 1");
    kit_assert_str(f->steps[7].source, "S -> B INVITE at 1");
    assert_int_equal(f->steps[10].state, DT_FLOW_RINGING);
    dt_flow_free(f);
    dt_flow_free(NULL);
    assert_int_equal(k.live, 0);
}

/* ---- files that end anywhere, memory that ends anywhere ---- */

static void test_truncations(void **state)
{
    struct kit_alloc k;
    char said[TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < dt_flow_files_n; i++) {
        struct dt_str text = {dt_flow_files[i].text, dt_flow_files[i].n};
        for (size_t n = 0;
             n <= text.n && dt_str_ends(dt_str_z(dt_flow_files[i].name), DT_STR(".flow")); n++) {
            struct dt_flow *f = NULL;
            kit_alloc_init(&k);
            int err =
                parse(&k.alloc, kit_guarded(0, dt_str_sub(text, 0, n)), &f, said, sizeof said);
            assert_true(err == DT_OK || err == DT_E_SYNTAX);
            assert_true(n < text.n || err == DT_OK);
            dt_flow_free(f);
            assert_int_equal(k.live, 0);
        }
    }
}

static void test_memory(void **state)
{
    struct kit_alloc k;
    char said[TEXT_SIZE];
    (void)state;
    for (size_t n = 1;; n++) {
        struct dt_flow *f = NULL;
        kit_alloc_init(&k);
        k.fail_at = n;
        int err = parse(&k.alloc, dt_str_z(good), &f, said, sizeof said);
        dt_flow_free(f);
        assert_int_equal(k.live, 0);
        if (k.calls < n)
            break;
        assert_int_equal(err, DT_E_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_lines),   cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_too_many),    cmocka_unit_test(test_good),
        cmocka_unit_test(test_truncations), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
