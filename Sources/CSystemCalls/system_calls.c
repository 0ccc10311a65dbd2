#define _GNU_SOURCE
#include "CSystemCalls.h"

#include <stdio.h>

#ifdef __linux__
#include <sys/vfs.h>

int csystem_rename_new(int directory, const char *name, const char *target) {
    return renameat2(directory, name, directory, target, RENAME_NOREPLACE);
}

int csystem_file_system_type(int descriptor, uint32_t *type) {
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0) return -1;
    *type = (uint32_t)status.f_type;
    return 0;
}
#endif
