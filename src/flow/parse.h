/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the flow language's parser share. */
#ifndef FLOW_PARSE_H
#define FLOW_PARSE_H

#include "flow/flow.h"

struct flow_parse {
    struct dt_flow *f;
    struct dt_problems *problems;
    struct dt_place place;
    struct dt_word words[DT_WORDS_MAX]; /* of the line */
    int n;
    struct dt_str line;
    unsigned block, blocks; /* the unordered block that is open, or 0; how many there were */
    unsigned block_steps;
    bool bad;    /* this line is wrong: one problem a line */
    bool failed; /* a line was */
    bool nomem;
};

/* A problem at a word of the line: "WORD" is ..., or "WORD" is not right here; use ..., as `what`
 * begins; behind the last word: the line ends here; ... */
void dt__flow_wrong(struct flow_parse *p, int word, const char *what);
/* Is the word there, and this, without quotes? */
bool dt__flow_is(const struct flow_parse *p, int word, const char *text);
/* A problem if the line goes on behind the first `n` words; `use` says how it is written. */
bool dt__flow_ends(struct flow_parse *p, int n, const char *use);
/* The party that a word names, or -1; the second says so if there is none. */
int dt__flow_party(const struct flow_parse *p, int word);
int dt__flow_want_party(struct flow_parse *p, int word);
/* Is a word one that begins a statement? A party cannot be called so. */
bool dt__flow_is_statement(struct dt_str word);

/* One function a statement. */
void dt__flow_parse_flow(struct flow_parse *p);
void dt__flow_parse_proxy(struct flow_parse *p);
void dt__flow_parse_phone(struct flow_parse *p);
void dt__flow_parse_foreign(struct flow_parse *p);
void dt__flow_parse_pair(struct flow_parse *p);
void dt__flow_parse_set(struct flow_parse *p);
void dt__flow_parse_fault(struct flow_parse *p);
void dt__flow_parse_wait(struct flow_parse *p);
void dt__flow_parse_state(struct flow_parse *p);
void dt__flow_parse_block(struct flow_parse *p);
/* [optional] A -> B MESSAGE ...; the first word is the party's. */
void dt__flow_parse_message(struct flow_parse *p, int first, bool optional);
/* A dials 1002, and what else a party does or shows. */
void dt__flow_parse_deed(struct flow_parse *p);

#endif
