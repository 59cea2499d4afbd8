/* SPDX-License-Identifier: BSD-2-Clause */
#include "dualtone/conf.h"

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct dt_str take_bare(struct dt_reader *r)
{
    const char *from = r->p;
    while (r->p < r->end && !is_blank(*r->p))
        r->p++;
    return (struct dt_str){from, (size_t)(r->p - from)};
}

int dt_words_split(struct dt_str line, const char *comment, struct dt_word *words, size_t max,
                   unsigned *column)
{
    struct dt_reader r = dt_reader(line);
    struct dt_str marks = dt_str_z(comment);
    int n = 0;
    for (;;) {
        bool apart = r.p == r.start || is_blank(r.p[-1]);
        while (is_blank(dt_reader_peek(&r))) {
            r.p++;
            apart = true;
        }
        if (dt_reader_end(&r) || (apart && dt_str_find(marks, *r.p) < marks.n))
            return n;

        struct dt_word word = {.column = (unsigned)dt_reader_at(&r) + 1};
        *column = word.column;
        if ((size_t)n == max)
            return DT_E_LIMIT;
        word.quoted = *r.p == '"';
        if (!word.quoted)
            word.text = take_bare(&r);
        else if (dt_reader_quoted(&r, &word.text))
            return DT_E_SYNTAX;
        words[n++] = word;
    }
}
