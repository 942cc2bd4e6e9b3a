// The MAC of heartbeats (agent_report.h). One object per thread; whoever includes this links libcrypto.
#pragma once

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>
#include <new>
#include <span>

#include "dataplane/contract/agent_report.h"
#include "dataplane/contract/flow_hash.h"

namespace warmswap::contract {

class AgentReportMac {
 public:
  /// 128 bits, as `openssl rand -hex 16` prints them. Throws std::bad_alloc when OpenSSL cannot provide HMAC-SHA-256.
  explicit AgentReportMac(const HashKey& key) {
    const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
    context_.reset(mac == nullptr ? nullptr : EVP_MAC_CTX_new(mac.get()));
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0), OSSL_PARAM_construct_end()};
    const auto* bytes = reinterpret_cast<const unsigned char*>(&key);
    static_assert(sizeof(key) == 16, "the key is its 16 bytes in the order they are written");
    if (context_ == nullptr || EVP_MAC_init(context_.get(), bytes, sizeof(key), parameters) != 1)
      throw std::bad_alloc();
  }

  void sign(AgentReportBytes& report) noexcept {
    const auto mac = of(report);
    std::memcpy(report.data() + kAgentReportSignedBytes, mac.data(), mac.size());
  }

  /// In constant time.
  bool verify(std::span<const std::byte, kAgentReportBytes> report) noexcept {
    const auto mac = of(report);
    return CRYPTO_memcmp(report.data() + kAgentReportSignedBytes, mac.data(), mac.size()) == 0;
  }

 private:
  std::array<std::byte, kAgentReportMacBytes> of(std::span<const std::byte, kAgentReportBytes> report) noexcept {
    std::array<unsigned char, 32> whole{};
    size_t length = 0;
    EVP_MAC_init(context_.get(), nullptr, 0, nullptr);  // the same key again
    EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(report.data()), kAgentReportSignedBytes);
    EVP_MAC_final(context_.get(), whole.data(), &length, whole.size());
    std::array<std::byte, kAgentReportMacBytes> left;
    std::memcpy(left.data(), whole.data(), left.size());
    return left;
  }

  struct Free {
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
  };
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
};

}  // namespace warmswap::contract
