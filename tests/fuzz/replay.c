/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Gives files to a fuzzer's function, one by one, without libFuzzer: so any compiler and any
 * sanitizer replays the corpus. replay_NAME FILE|FOLDER... */
#define _DEFAULT_SOURCE /* scandir */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fuzz.h"

enum { FILE_MAX_BYTES = 1 << 20, PATH_BYTES = 4096 };

static unsigned replayed;

/* An exact copy, so that the sanitizer sees the first byte too far. */
static int replay_file(const char *path)
{
    static char buf[FILE_MAX_BYTES];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    size_t n = fread(buf, 1, sizeof buf, f);
    fclose(f);
    char *copy = copy_of((struct dt_str){buf, n}, 0);
    fprintf(stderr, "%s\n", path); /* the last one named is the one that broke */
    LLVMFuzzerTestOneInput((const uint8_t *)copy, n);
    free(copy);
    replayed++;
    return 0;
}

static int replay(const char *path);

static int replay_folder(const char *path)
{
    struct dirent **list;
    int n = scandir(path, &list, NULL, alphasort), failed = 0;
    if (n < 0) {
        perror(path);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        char full[PATH_BYTES];
        snprintf(full, sizeof full, "%s/%s", path, list[i]->d_name);
        if (list[i]->d_name[0] != '.')
            failed += replay(full);
        free(list[i]);
    }
    free(list);
    return failed;
}

static int replay(const char *path)
{
    struct stat st;
    if (stat(path, &st)) {
        perror(path);
        return 1;
    }
    return S_ISDIR(st.st_mode) ? replay_folder(path) : replay_file(path);
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed += replay(argv[i]);
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    printf("%u inputs replayed\n", replayed);
    return failed || !replayed;
}
