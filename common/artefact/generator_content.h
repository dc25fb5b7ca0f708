// What a generator file holds besides its certificate and signatures: all that is needed to draw rows, and the plan.
#pragma once

#include <string>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/data/schema.h"
#include "common/privacy/plan.h"

namespace synod {

// Invariants, checked by CheckContent: the schema's hash, the family, the hash of the options and the layout hash are
// those of the plan; all parameters are finite; texts and sizes are within the limits of a file.
struct GeneratorContent {
  Schema schema;
  Plan plan;
  std::string family;  // the model family
  Json options;        // of the family: exactly what the plan's model hash covers
  Json state;          // public transforms and whatever else the family needs beside its parameters; an object
  Digest layout_hash{};
  std::vector<float> parameters;
};

Status CheckContent(const GeneratorContent& content);

// Header and content sections of a file, in bytes: the part that the content digest covers.
Result<Bytes> EncodeContent(const GeneratorContent& content);

// SHA-256 of EncodeContent: what the certificate names.
Result<Digest> ContentDigest(const GeneratorContent& content);

// From the bytes of the four content sections, with all checks of CheckContent.
struct FileSections;
Result<GeneratorContent> DecodeContent(const FileSections& sections);

}  // namespace synod
