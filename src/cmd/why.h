/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The answers of `dualtone why` in words. */
#ifndef CMD_WHY_H
#define CMD_WHY_H

#include <stdio.h>

#include <jansson.h>

/* Prints the document of a phone (src/phone/why.c) as sentences; what is missing, or of another
 * type, is passed over. Its texts are made plain for a terminal. */
void dt__cmd_why_print(FILE *to, json_t *document);

#endif
