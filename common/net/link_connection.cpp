#include "common/net/link_connection.h"

#include <algorithm>

#include "common/wire/limits.h"

namespace synod {

LinkConnection::LinkConnection(TcpSocket socket, std::shared_ptr<const TlsContext> tls, TlsSide side,
                               Link::Shared& shared, const Clock& clock)
    : socket_(std::move(socket)), link_(std::move(tls), side, shared, clock) {
  link_.Start();
}

void LinkConnection::Read(std::span<std::uint8_t> room) {
  // A stranger is read in small pieces, so that it is cut soon after it has said too much.
  const std::size_t most = link_.unauthenticated() ? limits::kMaxUnauthenticatedBytes : limits::kReceiveBytes;
  room = room.first(std::min(room.size(), most));
  const std::int64_t count = socket_.Receive(room);
  if (count == TcpSocket::kEnded) return link_.ConnectionLost();
  if (count == 0) return;
  bytes_received_ += static_cast<std::uint64_t>(count);
  link_.Receive(room.first(static_cast<std::size_t>(count)));
}

void LinkConnection::Write() {
  wants_to_write_ = false;
  std::size_t sent_now = 0;
  while (!deaf_) {
    if (sent_ == output_.size()) {
      sent_ = 0;
      output_.clear();
      if (!link_.NextOutput(output_)) return;
    }
    const std::int64_t count = socket_.Send(ByteView(output_).subspan(sent_));
    if (count == TcpSocket::kEnded) {
      // Its last words may lie in the system; reading comes to the end of them.
      deaf_ = true;
      output_.clear();
      sent_ = 0;
      return;
    }
    sent_ += static_cast<std::size_t>(count);
    sent_now += static_cast<std::size_t>(count);
    bytes_sent_ += static_cast<std::uint64_t>(count);
    wants_to_write_ = true;
    if (sent_ < output_.size() || sent_now >= limits::kTurnBytes) return;
    wants_to_write_ = false;
  }
}

}  // namespace synod
