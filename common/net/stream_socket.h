// A ZMQ_STREAM socket: raw TCP connections, each with a name. Nothing here blocks.
//
// What the socket is like: connect and disconnect of a connection are the same empty piece; there is no word when a
// connection can be written again; a piece is kept in a queue of the connection, which Close drops. Threads: one.
#pragma once

#include <cstdint>
#include <string>

#include "common/core/bytes.h"
#include "common/core/result.h"

namespace synod {

class StreamSocket {
 public:
  // `zmq_context`: a zmq::context_t's handle, which must outlive the socket.
  static Result<StreamSocket> Open(void* zmq_context);
  StreamSocket(StreamSocket&& other) noexcept;
  StreamSocket& operator=(StreamSocket&& other) noexcept;
  ~StreamSocket();

  // HOST:PORT; an IPv6 host is in brackets.
  Status Bind(const std::string& address);
  Result<std::uint16_t> BoundPort() const;
  Status Connect(const std::string& address);
  // Ends what Connect began, however far it got.
  void Disconnect(const std::string& address);

  struct Piece {
    std::string connection;
    Bytes bytes;  // empty: connected or disconnected
  };
  // False if nothing is there.
  bool Receive(Piece& piece);

  enum class Sent { kTaken, kFull, kGone };
  Sent Send(const std::string& connection, ByteView bytes);
  // Cuts the connection. kFull: not possible yet; try again later.
  Sent Close(const std::string& connection);

  // After Connect: whether the attempt has failed since the last Connect.
  bool ConnectFailed();

  void* handle() const { return socket_; }

 private:
  StreamSocket(void* context, void* socket) : context_(context), socket_(socket) {}
  Status WatchConnects();
  void CloseSockets();
  void* context_ = nullptr;
  void* socket_ = nullptr;
  void* monitor_ = nullptr;  // says that an attempt to connect has failed
};

}  // namespace synod
