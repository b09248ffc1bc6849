/*
 * fuzz_replay.c - runs a fuzz target over kept inputs where there is no libFuzzer
 *
 *   fuzz_NAME FILE-OR-FOLDER...
 *
 * Folders are read one level deep. A folder that does not exist holds no inputs.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static size_t run_count;

static void run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(size ? size : 1); /* exactly as long, so that ASan sees the end */

    if (!file || !bytes || fread(bytes, 1, size, file) != size) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    run_count++;
}

static void run_folder(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;

    while (folder && (entry = readdir(folder))) {
        char name[4096];
        struct stat about;

        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (stat(name, &about) == 0 && S_ISREG(about.st_mode))
            run_file(name, (size_t)about.st_size);
    }
    if (folder)
        closedir(folder);
}

int main(int argc, char **argv)
{
    struct stat about;

    for (int i = 1; i < argc; i++) {
        if (stat(argv[i], &about) != 0)
            continue;
        if (S_ISDIR(about.st_mode))
            run_folder(argv[i]);
        else
            run_file(argv[i], (size_t)about.st_size);
    }
    printf("%zu inputs\n", run_count);
    return 0;
}
