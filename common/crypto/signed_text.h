// A text and a signature over it, by a key that its reader knows: a manifest or a list of revocations with the
// signature of a consortium's root (common/consortium/manifest.h).
#pragma once

#include <string>

#include "common/core/bytes.h"

namespace synod {

// Travels in kits, in updates over the network and in generator files.
struct SignedText {
  std::string text;
  Bytes signature;
  bool operator==(const SignedText&) const = default;
};

}  // namespace synod
