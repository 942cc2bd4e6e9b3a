// exec: programs that say whether a backend works.
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/controlplane/health/prober_fixture.h"

namespace warmswap::health {
namespace {

class ExecProbe : public ProberTest {
 protected:
  static Target running(std::vector<std::string> command, Clock::duration timeout = 5s) {
    Target target = ProberTest::target(1, 8080, ProbeKind::exec, 1h, timeout);
    target.probe.command = std::move(command);
    return target;
  }
  /// A shell is a program like another one.
  static Target script(const std::string& text, Clock::duration timeout = 5s) {
    return running({"/bin/sh", "-c", text}, timeout);
  }
};

TEST_F(ExecProbe, ExitStatusZeroIsGood) {
  const ProbeResult result = probe_once(script("echo all is well; echo second line"));
  EXPECT_EQ(result.outcome, Outcome::good);
  EXPECT_EQ(result.detail, "exit status 0: all is well");
}

TEST_F(ExecProbe, AnotherStatusIsBadAndItsFirstLineIsTold) {
  const ProbeResult result = probe_once(script("echo database is gone >&2; exit 3"));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_EQ(result.detail, "exit status 3: database is gone");
}

TEST_F(ExecProbe, TheProgramIsToldWhomToAskAndNoShellReadsIt) {
  const ProbeResult result = probe_once(running({"/bin/echo", "{address}:{port}", "$HOME; false"}));
  EXPECT_EQ(result.detail, "exit status 0: 127.0.0.1:8080 $HOME; false");
}

TEST_F(ExecProbe, AProgramThatTakesTooLongIsKilledWithItsChildren) {
  const auto file = std::filesystem::temp_directory_path() / ("warmswap-exec-" + std::to_string(getpid()));
  const ProbeResult result = probe_once(script("sleep 60 & echo $! > " + file.string() + "; wait", 500ms));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_EQ(result.detail, "timed out after 500 ms: the program still ran");
  int child = 0;
  std::ifstream(file) >> child;
  std::filesystem::remove(file);
  ASSERT_GT(child, 0);
  EXPECT_TRUE(run_until([&] {
    return ::kill(child, 0) != 0 || !std::ifstream("/proc/" + std::to_string(child) + "/exe");
  })) << "still runs";
}

TEST_F(ExecProbe, ASignalIsBad) {
  EXPECT_EQ(probe_once(script("kill -9 $$")).detail, "killed by signal 9");
}

TEST_F(ExecProbe, AProgramThatIsNotThereSaysNothingAboutTheBackend) {
  const ProbeResult result = probe_once(running({"/nowhere/check"}));
  EXPECT_EQ(result.outcome, Outcome::not_run);
  EXPECT_EQ(result.detail, "cannot run /nowhere/check: no such file or directory");
}

TEST_F(ExecProbe, ItGetsNoDescriptorOfThisProcess) {
  EXPECT_EQ(probe_once(running({"/bin/sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"})).detail, "exit status 0: 0 1 2 3 ")
      << "3 is the folder that ls reads";
}

TEST_F(ExecProbe, MuchOutputDoesNotBlockIt) {
  EXPECT_EQ(probe_once(script("head -c 1000000 /dev/zero")).outcome, Outcome::good);
}

}  // namespace
}  // namespace warmswap::health
