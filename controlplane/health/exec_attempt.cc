// exec: a program of the operator's says whether the backend works: exit status 0 is good. No shell is involved; the
// program gets an empty standard input, this process's PATH, and no other descriptor of it. It is a process group of
// its own, and killed as one when its time is over.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "controlplane/health/attempt.h"

namespace warmswap::health {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr size_t kLongestRemark = 200;

void replace_all(std::string& text, std::string_view what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

/// The arguments, with {address} and {port} filled in.
std::vector<std::string> arguments_for(const Target& target) {
  std::vector<std::string> arguments = target.probe.command;
  for (std::string& argument : arguments) {
    replace_all(argument, "{address}", asio::ip::address_v4(target.address.host()).to_string());
    replace_all(argument, "{port}", std::to_string(target.port));
  }
  return arguments;
}

class FileActions {
 public:
  explicit FileActions(int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class Attributes {
 public:
  Attributes() {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* get() const noexcept { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

/// 0, or the error.
int spawn(const std::vector<std::string>& arguments, int output, pid_t& pid) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const char* inherited = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody writes the environment
  std::string path = std::string("PATH=") + (inherited != nullptr ? inherited : "/usr/sbin:/usr/bin:/sbin:/bin");
  std::array<char*, 2> environment = {path.data(), nullptr};
  const FileActions actions(output);
  const Attributes attributes;
  return posix_spawn(&pid, argv[0], actions.get(), attributes.get(), argv.data(), environment.data());
}

/// Owns the child until it is reaped, which may be after the attempt.
class Child : public std::enable_shared_from_this<Child> {
 public:
  Child(asio::io_context& io, pid_t pid, int pidfd) : pid_(pid), ended_(io, pidfd) {}

  /// Calls `done` with the wait status.
  void wait(std::function<void(int)> done) {
    done_ = std::move(done);
    ended_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const error_code& error) {
      if (error) return;
      int status = 0;
      if (waitpid(self->pid_, &status, 0) != self->pid_) status = -1;
      self->pid_ = 0;
      if (self->done_) self->done_(status);
    });
  }

  /// Nobody waits any more; what still runs is killed, and reaped when it is dead.
  void let_go() {
    done_ = nullptr;
    if (pid_ > 0) ::kill(-pid_, SIGKILL);
  }

 private:
  pid_t pid_;
  asio::posix::stream_descriptor ended_;
  std::function<void(int)> done_;
};

class ExecAttempt final : public Attempt {
 public:
  ExecAttempt(asio::io_context& io, const Target& target, Done done)
      : Attempt(io, target, std::move(done)), output_(io) {}

 private:
  std::shared_ptr<ExecAttempt> self() { return std::static_pointer_cast<ExecAttempt>(shared_from_this()); }

  void begin() override {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return fail_later(last_error());
    error_code error;
    output_.assign(pipe[0], error);
    pid_t pid = 0;
    const int refused = error ? error.value() : spawn(arguments_for(target()), pipe[1], pid);
    ::close(pipe[1]);
    if (refused != 0) return cannot_run(refused);
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (pidfd < 0) {
      const error_code reason = last_error();
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      return fail_later(reason);
    }
    child_ = std::make_shared<Child>(io(), pid, pidfd);
    child_->wait([self = self()](int status) { self->on_exit(status); });
    listen();
  }

  /// Not the backend's fault.
  void cannot_run(int error) {
    finish_later(Outcome::not_run, fmt::format("cannot run {}: {}", target().probe.command.front(),
                                               in_words(error_code(error, boost::system::system_category()))));
  }

  /// Reads on, so that the program never blocks on its output, and keeps the beginning.
  void listen() {
    output_.async_read_some(asio::buffer(buffer_), [self = self()](const error_code& error, size_t bytes) {
      if (self->over() || error) return;
      self->keep({self->buffer_.data(), bytes});
      self->listen();
    });
  }

  void keep(std::string_view text) {
    if (remark_.size() < kLongestRemark) remark_.append(text.substr(0, kLongestRemark - remark_.size()));
  }

  void on_exit(int status) {
    if (over()) return;
    error_code ignored;
    output_.non_blocking(true, ignored);
    const size_t rest = output_.read_some(asio::buffer(buffer_), ignored);
    keep({buffer_.data(), rest});
    std::string said = remark_.substr(0, remark_.find('\n'));
    for (char& letter : said) letter = letter < ' ' || letter > '~' ? '?' : letter;
    if (!said.empty()) said = ": " + said;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return finish(Outcome::good, "exit status 0" + said);
    finish(Outcome::bad, (WIFSIGNALED(status) ? fmt::format("killed by signal {}", WTERMSIG(status))
                                              : fmt::format("exit status {}", WEXITSTATUS(status))) +
                             said);
  }

  void close() noexcept override {
    error_code ignored;
    output_.close(ignored);
    if (child_) child_->let_go();
    child_.reset();
  }

  std::string missing() const override { return "the program still ran"; }

  asio::posix::stream_descriptor output_;
  std::shared_ptr<Child> child_;
  std::string remark_;
  std::array<char, 512> buffer_{};
};

}  // namespace

std::shared_ptr<Attempt> make_exec_attempt(asio::io_context& io, const Target& target, Attempt::Done done) {
  return std::make_shared<ExecAttempt>(io, target, std::move(done));
}

}  // namespace warmswap::health
