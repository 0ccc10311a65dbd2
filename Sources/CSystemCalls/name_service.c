#include "CSystemCalls.h"

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// Reads until the end, or the room is full.
static size_t read_all(int descriptor, char *text, size_t size) {
    size_t length = 0;
    while (length < size) {
        ssize_t count = read(descriptor, text + length, size - length);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        length += (size_t)count;
    }
    return length;
}

int csystem_look_up(const char *database, const char *key, char *line, size_t size) {
    int reading, writing;
    if (csystem_open_pipe(&reading, &writing) != 0) return -1;

    char *arguments[] = {"getent", "--", (char *)database, (char *)key, NULL};
    char *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, writing, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child;
    int failure = posix_spawn(&child, "/usr/bin/getent", &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    close(writing);

    size_t length = failure ? 0 : read_all(reading, line, size - 1);
    close(reading);
    // Where nobody wants to hear of children, or somebody else reaps them all, there is none to wait for.
    while (!failure && waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
    line[length] = 0;
    return length > 0 ? 0 : -1;
}
#endif
