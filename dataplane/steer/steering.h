// The XDP program in front of AF_XDP ports: which object the driver loads, and keeping its vip map equal to the current
// snapshot. Called from the dataplane's housekeeping thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <tuple>

#include "dataplane/contract/layout.h"
#include "dataplane/contract/result.h"

namespace warmswap::steer {

/// The compiled program as a file of this process, for the driver's `xdp_prog` argument. Holds the file open.
class ProgramFile {
 public:
  static contract::Result<ProgramFile> open();
  ProgramFile(ProgramFile&& other) noexcept;
  ProgramFile& operator=(ProgramFile&&) = delete;
  ~ProgramFile();
  /// Valid in this process while the object lives.
  std::string path() const;

 private:
  explicit ProgramFile(int fd) : fd_(fd) {}
  int fd_;
};

/// Removes what a crashed dataplane left attached. Refuses, with a sentence, when the interface does not exist or
/// carries an XDP program that is not ours.
contract::Result<void> prepare_interface(const std::string& interface);

struct Counters {
  uint64_t redirected = 0;
  uint64_t no_socket = 0;
};

/// The maps of the program that is attached to one interface.
class Steering {
 public:
  /// After the port has been started: finds the program through the interface and the maps through the program.
  static contract::Result<Steering> attach(const std::string& interface);
  Steering(Steering&& other) noexcept;
  Steering& operator=(Steering&&) = delete;
  ~Steering();

  /// Makes the vip map hold exactly the vips of the snapshot (nullptr: none). New vips go in before old ones go out.
  /// On an error the rest is done; call again.
  contract::Result<void> sync(const std::byte* base, const contract::SnapshotRoot* root);
  contract::Result<Counters> counters() const;
  const std::string& interface() const noexcept { return interface_; }

 private:
  using Key = std::tuple<uint32_t, uint16_t, uint8_t>;  // raw wire values
  Steering(std::string interface, int vips_fd, int counters_fd)
      : interface_(std::move(interface)), vips_fd_(vips_fd), counters_fd_(counters_fd) {}

  std::string interface_;
  int vips_fd_;
  int counters_fd_;
  std::set<Key> loaded_;
};

}  // namespace warmswap::steer
