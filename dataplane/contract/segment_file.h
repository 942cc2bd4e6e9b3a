// The file behind a segment: where it may be, what it must be before it is trusted, and its memory. Internal to
// contract/; start-up only, any thread.
#pragma once

#include <filesystem>
#include <string>

#include "dataplane/contract/layout.h"
#include "dataplane/contract/result.h"

namespace warmswap::contract {

constexpr uint64_t round_up(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// `what` and the text of errno.
Error system_error(const std::string& what);

/// Whether the file may be read at all: ours, private enough, and not shorter than a header.
Result<void> check_file(int fd, const std::filesystem::path& path);

/// Whether the header is one of this version, consistent in itself, of `instance`, and no longer than the file.
Result<void> check_header(const SegmentHeader& header, uint64_t file_bytes, const std::string& path,
                          const std::string& instance);

/// Gives the file to a group by name; "" leaves it.
Result<void> set_group(int fd, const std::string& group);

/// Promised memory, so that a full tmpfs is an error here and not a SIGBUS later. hugetlbfs promises when it is mapped.
Result<void> reserve_file(int fd, uint64_t bytes, const std::string& path);

}  // namespace warmswap::contract
