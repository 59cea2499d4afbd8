/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An attempt: one dialling, its paths, and the table that decides. See reach.h. */
#ifndef DUALTONE_ATTEMPT_H
#define DUALTONE_ATTEMPT_H
#endif
