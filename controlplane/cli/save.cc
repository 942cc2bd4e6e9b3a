#include "controlplane/cli/save.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "controlplane/api/protocol.h"
#include "controlplane/cli/answer.h"
#include "controlplane/cli/text.h"

namespace warmswap::cli {
namespace {

namespace field = api::field;
namespace fs = std::filesystem;

[[noreturn]] void cannot(const std::string& what, int error) {
  throw Failure(kExitRefused, fmt::format("cannot {}: {}; nothing was changed", what,
                                          std::error_code(error, std::generic_category()).message()));
}

/// A file that goes away unless it was renamed.
class Draft {
 public:
  explicit Draft(const fs::path& beside) : path_(beside.string() + ".XXXXXX"), fd_(::mkstemp(path_.data())) {
    if (fd_ < 0) cannot("write beside " + beside.string(), errno);
  }
  ~Draft() {
    if (fd_ >= 0) ::close(fd_);
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  void take_after(const struct stat& original) {
    // Another owner can only be given by root; a file that only its owner may read must not become anybody else's.
    const bool same_owner = original.st_uid == ::geteuid() && original.st_gid == ::getegid();
    if (!same_owner && ::fchown(fd_, original.st_uid, original.st_gid) != 0)
      cannot("keep the owner of the file", errno);
    if (::fchmod(fd_, original.st_mode & 07777) != 0) cannot("keep the mode of the file", errno);
  }
  void write(const std::string& text) {
    for (size_t done = 0; done < text.size();) {
      const ssize_t wrote = ::write(fd_, text.data() + done, text.size() - done);
      if (wrote < 0) cannot("write " + path_, errno);
      done += static_cast<size_t>(wrote);
    }
    if (::fsync(fd_) != 0) cannot("write " + path_, errno);
  }
  void become(const fs::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) cannot("replace " + target.string(), errno);
    path_.clear();
  }

  /// Where nothing stands yet.
  void become_new(const fs::path& target) {
    if (::link(path_.c_str(), target.c_str()) != 0) cannot("make " + target.string(), errno);
  }

 private:
  std::string path_;
  int fd_;
};

std::string read_whole(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) cannot("read " + path.string(), errno);
  return {std::istreambuf_iterator<char>(in), {}};
}

void make_lasting(const fs::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

void replace_file(const std::string& path, const std::string& before, const std::string& after) {
  std::error_code error;
  const fs::path target = fs::canonical(path, error);
  if (error) cannot("find " + path, error.value());
  struct stat original {};
  if (::stat(target.c_str(), &original) != 0) cannot("read " + target.string(), errno);
  if (read_whole(target) != before) {
    throw Failure(kExitRefused, path +
                                    " is not what the control plane read: is it another host's, or was it changed just "
                                    "now? Nothing was changed");
  }
  Draft draft(target);
  draft.take_after(original);
  draft.write(after);
  draft.become(target);
  make_lasting(target.parent_path());
}

void create_file(const std::string& path, const std::string& like, const std::string& text) {
  struct stat model {};
  if (::stat(like.c_str(), &model) != 0) cannot("find " + like, errno);
  const fs::path directory = fs::path(path).parent_path();
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) cannot("make " + directory.string(), errno);
  Draft draft(path);
  draft.take_after(model);
  draft.write(text);
  draft.become_new(path);
  make_lasting(directory);
}

void save(const Session& session, SaveOptions options) {
  const std::string target = fmt::format("{}?{}={}", api::endpoint::kSave, api::parameter::kDropIn, options.drop_in);
  const std::string body = session.get(target);
  const boost::json::object answer = parse_answer(body);
  const std::string file = text_of(answer, field::kFilePath);
  if (options.print) {
    session.out() << (session.json() ? body + "\n" : text_of(answer, field::kTextAfter));
    return;
  }
  const boost::json::array& changes = list_of(answer, field::kChanges);
  if (!changes.empty()) {
    const std::string after = text_of(answer, field::kTextAfter);
    if (options.drop_in && !fs::exists(file)) {
      create_file(file, fs::path(file).parent_path().replace_extension().string(), after);
    } else {
      replace_file(file, text_of(answer, field::kTextBefore), after);
    }
    // What was laid over the file is in it now.
    session.post(api::endpoint::kReload, "{}");
  }
  if (session.json()) {
    session.out() << boost::json::serialize(boost::json::object{{field::kFilePath, file}, {field::kChanges, changes}})
                  << '\n';
    return;
  }
  if (changes.empty()) {
    session.out() << "nothing to save: " << printable(file) << " says what runs\n";
    return;
  }
  session.out() << "saved to " << printable(file) << ":\n";
  for (const boost::json::value& change : changes) {
    if (change.is_string()) session.out() << "  " << printable(std::string(change.as_string())) << '\n';
  }
}

}  // namespace warmswap::cli
