// System calls of Linux that Swift's C library module does not show. Each returns -1 and sets errno on failure.
#ifndef CSYSTEMCALLS_H
#define CSYSTEMCALLS_H

#include <stdint.h>

// renameat2 with RENAME_NOREPLACE, both names in one directory.
int csystem_rename_new(int directory, const char *name, const char *target);

// The type number of the file system that the descriptor is on; 0 where the platform has none.
int csystem_file_system_type(int descriptor, uint32_t *type);

#endif
