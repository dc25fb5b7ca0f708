// Where a site remembers which survivor set it signed, one for each attempt, whatever happens to the process. Without
// it a coordinator that restarts a site could have two sets signed and see both secrets of a peer.
#pragma once

#include <map>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/core/strong_id.h"

namespace synod::secure_agg {

// A port: the daemon's is its database, that of tests and simulations memory.
class PromiseStore {
 public:
  virtual ~PromiseStore() = default;
  // Whether a promise was kept under this name, in any life of the process.
  virtual Result<bool> Has(const QueryName& name) const = 0;
  // Returns only when the promise would survive a loss of power. Refused if one is there under this name, also an equal
  // one. After another error it may or may not be there; nothing is signed then.
  virtual Status Keep(const QueryName& name, const Digest& promise) = 0;
};

// Gone with the process.
class InMemoryPromises final : public PromiseStore {
 public:
  Result<bool> Has(const QueryName& name) const override { return kept_.contains(name); }
  Status Keep(const QueryName& name, const Digest& promise) override {
    if (!kept_.emplace(name, promise).second) return Refused("a survivor set of this attempt was signed before");
    return {};
  }

 private:
  std::map<QueryName, Digest> kept_;
};

}  // namespace synod::secure_agg
