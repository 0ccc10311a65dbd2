// What the ledger is compared with, in C. Each loop prints the seconds that it took, without opening and closing.
//
//   Yardstick raw COUNT SIZE DIR                      pwrite + fdatasync of one block at a time; the file grows
//   Yardstick sqlite COUNT PER_TRANSACTION DIR LINES  a row for each line of a file, WAL, synchronous=FULL
//   Yardstick peak PROGRAM ARGUMENT...                runs it, and prints the most memory that it had, in KiB
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static char *join(const char *directory, const char *name) {
    char *path;
    if (asprintf(&path, "%s/%s", directory, name) < 0) fail("asprintf");
    return path;
}

static int raw(long count, size_t size, const char *directory) {
    char *path = join(directory, "raw");
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) fail(path);
    char *block = malloc(size);
    if (!block) fail("malloc");
    memset(block, 'x', size);
    double start = now();
    for (long index = 0; index < count; index++) {
        if (pwrite(file, block, size, (off_t)index * (off_t)size) != (ssize_t)size) fail("pwrite");
        if (fdatasync(file) != 0) fail("fdatasync");
    }
    printf("%.9f\n", now() - start);
    if (unlink(path) != 0) fail(path);
    return 0;
}

static void require(int isGood, sqlite3 *database) {
    if (isGood) return;
    fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(database));
    exit(1);
}

static sqlite3_stmt *prepare(sqlite3 *database, const char *text) {
    sqlite3_stmt *statement;
    require(sqlite3_prepare_v2(database, text, -1, &statement, NULL) == SQLITE_OK, database);
    return statement;
}

static void perform(sqlite3_stmt *statement) {
    require(sqlite3_step(statement) == SQLITE_DONE, sqlite3_db_handle(statement));
    sqlite3_reset(statement);
}

// Appends to DIR/rows.db, which is made when it is not there; a COUNT of 0 only makes it.
static int sqlite(long count, long per_transaction, const char *directory, const char *lines) {
    FILE *source = fopen(lines, "r");
    if (!source) fail(lines);
    sqlite3 *database;
    require(sqlite3_open(join(directory, "rows.db"), &database) == SQLITE_OK, database);
    const char *setup = "pragma journal_mode=wal; pragma synchronous=full;"
                        "create table if not exists log (id integer primary key, payload blob)";
    require(sqlite3_exec(database, setup, NULL, NULL, NULL) == SQLITE_OK, database);
    sqlite3_stmt *begin = prepare(database, "begin"), *commit = prepare(database, "commit");
    sqlite3_stmt *insert = prepare(database, "insert into log (payload) values (?)");
    char *line = NULL;
    size_t capacity = 0;
    double start = now();
    for (long index = 0; index < count; index++) {
        if (index % per_transaction == 0) perform(begin);
        ssize_t size = getline(&line, &capacity, source);
        if (size < 0) {
            fprintf(stderr, "sqlite: there are only %ld lines\n", index);
            return 1;
        }
        require(sqlite3_bind_blob(insert, 1, line, (int)size - 1, SQLITE_STATIC) == SQLITE_OK, database);
        perform(insert);
        if ((index + 1) % per_transaction == 0 || index + 1 == count) perform(commit);
    }
    printf("%.9f\n", now() - start);
    sqlite3_finalize(begin);
    sqlite3_finalize(insert);
    sqlite3_finalize(commit);
    require(sqlite3_close(database) == SQLITE_OK, database);
    return 0;
}

// A process of its own, because a child's ru_maxrss begins with that of the process which spawns it: here that is next to nothing.
static int peak(char **command) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child;
    int status;
    struct rusage usage;
    if (posix_spawnp(&child, command[0], &actions, NULL, command, environ) != 0) fail(command[0]);
    if (wait4(child, &status, 0, &usage) != child) fail("wait4");
    printf("%ld\n", usage.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int count, char **arguments) {
    const char *name = count > 1 ? arguments[1] : "";
    if (count == 5 && strcmp(name, "raw") == 0) return raw(atol(arguments[2]), (size_t)atol(arguments[3]), arguments[4]);
    if (count == 6 && strcmp(name, "sqlite") == 0 && atol(arguments[3]) > 0) {
        return sqlite(atol(arguments[2]), atol(arguments[3]), arguments[4], arguments[5]);
    }
    if (count > 2 && strcmp(name, "peak") == 0) return peak(arguments + 2);
    fprintf(stderr, "usage: Yardstick raw COUNT SIZE DIR | sqlite COUNT PER_TRANSACTION DIR LINES | peak PROGRAM ARGUMENT...\n");
    return 64;
}
