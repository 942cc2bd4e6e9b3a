#include "dataplane/io/kernel_interface.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace warmswap::io {
namespace {

/// One interface ioctl on a throw-away socket; false with errno set when it fails.
bool interface_ioctl(const std::string& interface, unsigned long request, ifreq& data) {
  if (interface.size() >= IFNAMSIZ) {
    errno = ENODEV;
    return false;
  }
  interface.copy(data.ifr_name, IFNAMSIZ - 1);
  const int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return false;
  const bool done = ioctl(socket_fd, request, &data) == 0;
  const int error = errno;
  close(socket_fd);
  errno = error;
  return done;
}

}  // namespace

uint16_t receive_channels(const std::string& interface) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  ifreq data{};
  data.ifr_data = reinterpret_cast<char*>(&channels);
  if (!interface_ioctl(interface, SIOCETHTOOL, data)) return 1;
  return static_cast<uint16_t>(std::clamp(channels.combined_count, 1u, 64u));
}

contract::Result<uint16_t> interface_mtu(const std::string& interface) {
  ifreq data{};
  if (!interface_ioctl(interface, SIOCGIFMTU, data)) {
    return contract::Error{"interface \"" + interface + "\": " + std::strerror(errno)};
  }
  return static_cast<uint16_t>(std::min(data.ifr_mtu, 65535));
}

contract::Result<void> set_interface_mtu(const std::string& interface, uint16_t mtu) {
  ifreq data{};
  data.ifr_mtu = mtu;
  if (interface_ioctl(interface, SIOCSIFMTU, data)) return {};
  return contract::Error{"interface \"" + interface + "\": cannot set its MTU to " + std::to_string(mtu) + ": " +
                         std::strerror(errno)};
}

std::string device_string(const AfXdpDevice& device) {
  std::string text = "net_af_xdp" + std::to_string(device.number) + ",iface=" + device.interface +
                     ",start_queue=0,queue_count=" + std::to_string(device.queues) + ",xdp_prog=" + device.program;
  if (!device.busy_poll) text += ",busy_budget=0";
  return text;
}

}  // namespace warmswap::io
