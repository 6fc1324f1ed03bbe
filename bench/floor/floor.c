/*
 * The floor: what the kernel itself asks for sending one frame to many sockets.
 * One thread, one loop of send(2), no queue, no heartbeat, no checks. It prints
 * "ws ADDRESS control ADDRESS" and then sends every line that it reads on the
 * control port, as one text frame, to every client.
 *
 * The answer to the upgrade is a constant, right for the one key that the load
 * generator uses.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FDS = 1 << 16, LINE = 1 << 20 };

static const char answer[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: GA6JmtB3Nu/wjN2qI3F+cNN+A6k=\r\n\r\n"
    "\x81\x12{\"type\":\"welcome\"}";

static int clients[MAX_FDS], count; /* those upgraded, in no order */
static int place[MAX_FDS];          /* by descriptor: index in clients + 1 */

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on(struct sockaddr_in *at) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t n = sizeof *at;
    memset(at, 0, sizeof *at);
    at->sin_family = AF_INET;
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)at, n) || listen(fd, 4096) || getsockname(fd, (struct sockaddr *)at, &n))
        die("listen");
    return fd;
}

static void watch(int ep, int fd) {
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e))
        die("epoll_ctl");
}

static void leave(int fd) {
    if (place[fd]) {
        int at = place[fd] - 1, last = clients[--count];
        clients[at] = last;
        place[last] = at + 1;
        place[fd] = 0;
    }
    close(fd);
}

/* A request arrives whole on a loopback socket; whatever comes later is a
 * goodbye. */
static void from_client(int fd) {
    char buf[4096];
    ssize_t n = read(fd, buf, sizeof buf);
    if (n <= 0 || place[fd]) {
        leave(fd);
        return;
    }
    if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0) {
        leave(fd);
        return;
    }
    place[fd] = count + 1;
    clients[count++] = fd;
}

/* Sends all of a frame, waiting where the socket is full. */
static void send_all(int fd, const char *p, size_t n) {
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd full = {.fd = fd, .events = POLLOUT};
            poll(&full, 1, 1000);
            continue;
        }
        if (sent < 0)
            return; /* its end will be read */
        p += sent;
        n -= sent;
    }
}

static void broadcast(const char *line, size_t n) {
    static char frame[LINE + 10];
    size_t head = 2;
    frame[0] = (char)0x81;
    if (n < 126) {
        frame[1] = (char)n;
    } else if (n < 1 << 16) {
        frame[1] = 126;
        frame[2] = (char)(n >> 8);
        frame[3] = (char)n;
        head = 4;
    } else {
        frame[1] = 127;
        for (int i = 0; i < 8; i++)
            frame[2 + i] = (char)((unsigned long long)n >> (56 - 8 * i));
        head = 10;
    }
    memcpy(frame + head, line, n);
    for (int i = 0; i < count; i++)
        send_all(clients[i], frame, head + n);
}

static int from_control(int fd) {
    static char buf[LINE];
    static size_t have;
    ssize_t n = read(fd, buf + have, sizeof buf - have);
    if (n <= 0)
        return -1;
    have += n;
    char *begin = buf, *end;
    while ((end = memchr(begin, '\n', buf + have - begin))) {
        broadcast(begin, end - begin);
        begin = end + 1;
    }
    have -= begin - buf;
    memmove(buf, begin, have);
    return 0;
}

int main(void) {
    struct sockaddr_in web, control;
    int web_fd = listen_on(&web), control_fd = listen_on(&control), publisher = -1;
    int ep = epoll_create1(EPOLL_CLOEXEC);
    if (ep < 0)
        die("epoll_create1");
    watch(ep, web_fd);
    watch(ep, control_fd);
    printf("ws 127.0.0.1:%d control 127.0.0.1:%d\n", ntohs(web.sin_port), ntohs(control.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[512];
        int n = epoll_wait(ep, events, 512, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd, one = 1;
            if (fd == web_fd || fd == control_fd) {
                int got = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
                if (got < 0 || got >= MAX_FDS)
                    die("accept");
                setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                watch(ep, got);
                if (fd == control_fd)
                    publisher = got;
            } else if (fd == publisher) {
                if (from_control(fd)) {
                    close(fd);
                    publisher = -1;
                }
            } else {
                from_client(fd);
            }
        }
    }
}
