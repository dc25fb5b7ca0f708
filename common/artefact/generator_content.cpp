#include "common/artefact/generator_content.h"

#include <bit>
#include <cmath>

#include "common/artefact/file_sections.h"
#include "common/crypto/sha256.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::string_view kSchemaLabel = "synod.schema";
constexpr std::string_view kModelLabel = "synod.model";
constexpr std::uint32_t kSchemaVersion = 1;
constexpr std::uint32_t kModelVersion = 1;

Result<std::string> SchemaText(const Schema& schema) {
  return CanonicalJson(kSchemaLabel, kSchemaVersion, schema.ToJson());
}

Result<std::string> ModelText(const GeneratorContent& content) {
  return CanonicalJson(kModelLabel, kModelVersion,
                       {{"family", content.family}, {"options", content.options}, {"state", content.state}});
}

// Layout hash, then the parameters as little-endian float32.
Bytes ParameterBytes(const GeneratorContent& content) {
  Bytes out(content.layout_hash.begin(), content.layout_hash.end());
  out.reserve(out.size() + 4 * content.parameters.size());
  for (const float parameter : content.parameters) {
    const auto bits = std::bit_cast<std::uint32_t>(parameter);
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(bits >> shift));
  }
  return out;
}

Status ReadParameters(ByteView bytes, GeneratorContent& content) {
  constexpr std::size_t kHashBytes = sizeof(Digest);
  if (bytes.size() < kHashBytes || (bytes.size() - kHashBytes) % 4 != 0) {
    return BadInput("the section of parameters has a wrong length");
  }
  std::copy_n(bytes.begin(), kHashBytes, content.layout_hash.begin());
  const ByteView words = bytes.subspan(kHashBytes);
  content.parameters.resize(words.size() / 4);
  for (std::size_t i = 0; i < content.parameters.size(); ++i) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 4; ++k) bits |= static_cast<std::uint32_t>(words[4 * i + k]) << (8 * k);
    content.parameters[i] = std::bit_cast<float>(bits);
  }
  return {};
}

Status AppendText(FileSection section, const Result<std::string>& text, Bytes& out) {
  if (!text.ok()) return text.error().Within(FileSectionName(section));
  if (text->size() > MaxSectionBytes(section)) {
    return BadInput("is too large for a generator file").Within(FileSectionName(section));
  }
  AppendFileSection(section, AsBytes(*text), out);
  return {};
}

Result<Schema> ReadSchema(ByteView bytes) {
  const std::size_t limit = MaxSectionBytes(FileSection::kSchema);
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(kSchemaLabel, kSchemaVersion, AsText(bytes), limit));
  SYNOD_ASSIGN_OR_RETURN(Schema schema, Schema::FromJson(json));
  SYNOD_ASSIGN_OR_RETURN(const std::string again, SchemaText(schema));
  if (again != AsText(bytes)) return BadInput("the schema is not in canonical form");
  return schema;
}

struct ModelParts {
  std::string family;
  Json options;
  Json state;
};

Result<ModelParts> ReadModel(ByteView bytes) {
  const std::size_t limit = MaxSectionBytes(FileSection::kModel);
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(kModelLabel, kModelVersion, AsText(bytes), limit));
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields, StrictObject::Of(json, "model", {"family", "options", "state"}));
  SYNOD_ASSIGN_OR_RETURN(std::string family, fields.PlainName("family"));
  return ModelParts{std::move(family), fields.At("options"), fields.At("state")};
}

}  // namespace

Status CheckContent(const GeneratorContent& content) {
  const PlanFacts& facts = content.plan.facts();
  if (content.schema.Hash() != facts.schema_hash) return BadInput("the schema is not the one of the plan");
  if (content.family != facts.model_family) return BadInput("the model family is not the one of the plan");
  if (!content.options.is_object() || !content.state.is_object()) {
    return BadInput("the model's options and state must be objects");
  }
  SYNOD_ASSIGN_OR_RETURN(const Digest options_hash, HashModelOptions(content.options));
  if (options_hash != facts.model_hash) return BadInput("the model's options are not those of the plan");
  if (content.layout_hash != facts.layout_hash) return BadInput("the parameter layout is not the one of the plan");
  if (content.parameters.size() > (MaxSectionBytes(FileSection::kParameters) - sizeof(Digest)) / 4) {
    return BadInput("the model has too many parameters for a generator file");
  }
  for (const float parameter : content.parameters) {
    if (!std::isfinite(parameter)) return BadInput("a parameter of the model is not finite");
  }
  return {};
}

Result<Bytes> EncodeContent(const GeneratorContent& content) {
  SYNOD_RETURN_IF_ERROR(CheckContent(content));
  Bytes out;
  AppendFileHeader(out);
  SYNOD_RETURN_IF_ERROR(AppendText(FileSection::kSchema, SchemaText(content.schema), out));
  SYNOD_RETURN_IF_ERROR(AppendText(FileSection::kPlan, content.plan.CanonicalText(), out));
  SYNOD_RETURN_IF_ERROR(AppendText(FileSection::kModel, ModelText(content), out));
  AppendFileSection(FileSection::kParameters, ParameterBytes(content), out);
  return out;
}

Result<Digest> ContentDigest(const GeneratorContent& content) {
  SYNOD_ASSIGN_OR_RETURN(const Bytes bytes, EncodeContent(content));
  return Sha256(bytes);
}

Result<GeneratorContent> DecodeContent(const FileSections& sections) {
  SYNOD_ASSIGN_OR_RETURN(Schema schema, ReadSchema(sections.of(FileSection::kSchema)));
  SYNOD_ASSIGN_OR_RETURN(Plan plan, Plan::FromCanonicalText(AsText(sections.of(FileSection::kPlan))));
  if (plan.CanonicalText() != AsText(sections.of(FileSection::kPlan))) {
    return BadInput("the plan is not in canonical form");
  }
  SYNOD_ASSIGN_OR_RETURN(ModelParts model, ReadModel(sections.of(FileSection::kModel)));
  GeneratorContent content{std::move(schema),
                           std::move(plan),
                           std::move(model.family),
                           std::move(model.options),
                           std::move(model.state),
                           {},
                           {}};
  SYNOD_RETURN_IF_ERROR(ReadParameters(sections.of(FileSection::kParameters), content));
  SYNOD_RETURN_IF_ERROR(CheckContent(content));
  return content;
}

}  // namespace synod
