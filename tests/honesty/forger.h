// A coordinator that forges: it changes any leaf of any section of a published generator file, repairs every digest
// that follows, and signs anew with its own key. It does not have the keys of the sites.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/artefact/file_sections.h"
#include "common/artefact/generator_file.h"
#include "common/core/canonical_json.h"

namespace synod::honesty {

// One value inside a JSON document, and what a forger may put in its place.
struct Alteration {
  std::string where;  // a JSON pointer and what was done: "/readings/0/shares +1"
  Json document;      // the whole document with the change
};

// Every leaf with other values of its type, every list without each of its items, longer and empty, every object with a
// key less and more.
std::vector<Alteration> AlterationsOf(const Json& document);

class Forger {
 public:
  using Sign = std::function<FileSignatures(const Digest& file_digest)>;

  // `sign` makes the signatures section for the file digest of a forgery.
  Forger(const GeneratorFile& published, Sign sign);

  // The document of a section of JSON (all but the parameters), without its label.
  const Json& document(FileSection section) const { return documents_.at(static_cast<std::size_t>(section)).json; }

  // The file with another document in one section before the signatures, digests repaired and signed. Nothing where the
  // change cannot even be written down in canonical form.
  std::optional<Bytes> Forge(FileSection section, const Json& document) const;
  std::optional<Bytes> ForgeParameters(Bytes parameters) const;
  const Bytes& parameters() const { return parameters_; }
  // The published file with other signatures.
  std::optional<Bytes> ReplaceSignatures(const Json& document) const;

 private:
  struct Labelled {
    std::string label;  // "synod.plan/1"
    Json json;
  };
  using Documents = std::array<Labelled, kFileSections>;

  static std::optional<std::string> TextOf(const Labelled& document);
  static bool RepairPlan(Documents& documents, FileSection changed);
  std::optional<Bytes> Assemble(Documents documents, const Bytes& parameters, FileSection changed) const;

  Documents documents_;
  Bytes parameters_;
  Bytes before_signatures_;
  Sign sign_;
};

}  // namespace synod::honesty
