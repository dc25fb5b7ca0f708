// Memory of large payloads. Threads: free functions without state.
#pragma once

#include "common/core/bytes.h"

namespace synod {

// Makes room for `size` bytes. Asks the system to give room of many megabytes in large pages: fresh memory in pages of
// 4 KiB costs about as much as the encryption of what is put there.
void ReserveLarge(Bytes& bytes, std::size_t size);

}  // namespace synod
