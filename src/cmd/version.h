/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CMD_VERSION_H
#define CMD_VERSION_H

#define DT_VERSION "0.1.0"

#endif
