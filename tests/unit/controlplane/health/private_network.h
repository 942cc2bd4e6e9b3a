// A network of a test's own. Needs root.
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <thread>

namespace warmswap::health {

/// Runs `body` on a thread in a network namespace of its own, with nothing but a loopback interface, and waits for it.
inline void in_private_network(const std::function<void()>& body) {
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0) return;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP;
    ioctl(fd, SIOCSIFFLAGS, &loopback);
    close(fd);
    body();
  }).join();
}

}  // namespace warmswap::health
