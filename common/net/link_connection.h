// A link and its socket: what arrives goes into the link, what the link has to say goes out as far as the system takes
// it. Encrypted bytes that wait here are about limits::kSendBytes at most: a peer that does not read costs no more, and
// its messages wait in the link, whose queue is bounded. Nothing blocks. Threads: one.
#pragma once

#include <memory>
#include <span>

#include "common/net/link.h"
#include "common/net/poller.h"
#include "common/net/tcp_socket.h"

namespace synod {

class LinkConnection {
 public:
  // The TCP connection stands.
  LinkConnection(TcpSocket socket, std::shared_ptr<const TlsContext> tls, TlsSide side, Link::Shared& shared,
                 const Clock& clock);

  // Takes what has come, through `room`, at most limits::kReceiveBytes. Call Write afterwards.
  void Read(std::span<std::uint8_t> room);
  // Sends until nothing is left, the system takes no more, or it is the turn of others.
  void Write();

  // When Write has something to do once more.
  Poller::Interest interest() const { return {true, wants_to_write_}; }
  Link& link() { return link_; }
  const Link& link() const { return link_; }
  int descriptor() const { return socket_.descriptor(); }
  std::size_t unsent_bytes() const { return output_.size() - sent_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  TcpSocket socket_;
  Link link_;
  Bytes output_;  // encrypted; the first sent_ bytes of it are gone
  std::size_t sent_ = 0;
  bool wants_to_write_ = false;
  bool deaf_ = false;  // the other side takes nothing any more; what it said may still be read
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace synod
