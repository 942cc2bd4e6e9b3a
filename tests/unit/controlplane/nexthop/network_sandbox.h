// A private network for one test process: its own network namespace with a veth pair to a second one.
//
//     this process                     peer (a child that only holds the namespace)
//     lb0 192.0.2.1/24  <-- veth -->   host0 192.0.2.2/24, 192.0.2.3/24
//
// Everything vanishes with the two processes; nothing is visible outside.
#pragma once

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace warmswap::test {

class NetworkSandbox {
 public:
  /// Empty when the process may make namespaces, else why not.
  static std::string enter() {
    if (::unshare(CLONE_NEWNET) != 0) return std::string("cannot make a network namespace: ") + std::strerror(errno);
    return "";
  }

  NetworkSandbox() {
    int ready[2];
    if (::pipe(ready) != 0) throw std::runtime_error("pipe");
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const bool made = ::unshare(CLONE_NEWNET) == 0;
      if (::write(ready[1], made ? "y" : "n", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    char answer = 'n';
    const bool heard = ::read(ready[0], &answer, 1) == 1;
    ::close(ready[0]);
    ::close(ready[1]);
    if (!heard || answer != 'y') throw std::runtime_error("the peer cannot make a network namespace");
    ip("link add lb0 address 02:00:00:00:00:01 type veth peer name host0 address 02:00:00:00:00:02 netns " +
       std::to_string(child_));
    ip("addr add 192.0.2.1/24 dev lb0");
    ip("link set lb0 up");
    peer("addr add 192.0.2.2/24 dev host0");
    peer("addr add 192.0.2.3/24 dev host0");
    peer("link set host0 up");
  }
  NetworkSandbox(const NetworkSandbox&) = delete;
  NetworkSandbox& operator=(const NetworkSandbox&) = delete;
  ~NetworkSandbox() {
    std::system("ip link del lb0 2>/dev/null");
    std::system("ip route flush table main 2>/dev/null");  // a blackhole goes with no link
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

  /// Runs `ip …` here, or in the peer's namespace.
  void ip(const std::string& arguments) { run("ip " + arguments); }
  void peer(const std::string& arguments) { run("nsenter -t " + std::to_string(child_) + " -n ip " + arguments); }

 private:
  static void run(const std::string& command) {
    if (std::system(command.c_str()) != 0) throw std::runtime_error(command);
  }
  pid_t child_ = -1;
};

}  // namespace warmswap::test
