#include "common/net/name_lookup.h"

#include <mutex>
#include <system_error>
#include <thread>

namespace synod {

struct NameLookup::State {
  std::mutex mutex;
  std::optional<Result<std::vector<SocketAddress>>> found;
};

NameLookup::NameLookup(const TcpAddress& address) : state_(std::make_shared<State>()) {
  Result<std::vector<SocketAddress>> numeric = NumericAddresses(address);
  if (numeric.ok()) {
    state_->found = std::move(numeric);
    return;
  }
  try {
    std::thread([state = state_, address] {
      Result<std::vector<SocketAddress>> found = ResolveAddresses(address);
      const std::lock_guard lock(state->mutex);
      state->found = std::move(found);
    }).detach();
  } catch (const std::system_error&) {
    state_->found = Error{ErrorCode::kConnection, address.host + ": no thread to look the name up", ""};
  }
}

std::optional<Result<std::vector<SocketAddress>>> NameLookup::Take() {
  const std::lock_guard lock(state_->mutex);
  return state_->found;
}

}  // namespace synod
