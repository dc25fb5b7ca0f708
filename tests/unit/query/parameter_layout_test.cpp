#include "common/query/parameter_layout.h"

#include <gtest/gtest.h>

#include <limits>

#include "common/core/hex.h"
#include "common/crypto/sha256.h"

namespace synod {
namespace {

ParameterPart Part(std::string name, std::vector<std::uint64_t> shape) {
  ParameterPart part;
  part.name = std::move(name);
  part.shape = std::move(shape);
  return part;
}

TEST(ParameterLayout, PutsPartsOneAfterTheOther) {
  const ParameterLayout layout = ParameterLayout::Make({Part("w", {3, 4}), Part("b", {4}), Part("s", {})}).value();
  EXPECT_EQ(layout.size(), 17U);
  EXPECT_EQ(layout.Find("w")->offset, 0U);
  EXPECT_EQ(layout.Find("b")->offset, 12U);
  EXPECT_EQ(layout.Find("s")->offset, 16U);
  EXPECT_EQ(layout.Find("s")->size, 1U);
  EXPECT_EQ(layout.Find("absent"), nullptr);
}

TEST(ParameterLayout, HashIsThatOfItsCanonicalJson) {
  const ParameterLayout layout = ParameterLayout::Make({Part("w", {3, 4}), Part("b", {4})}).value();
  EXPECT_EQ(layout.Hash(), Sha256(R"(synod.parameter_layout/1)"
                                  "\n"
                                  R"([{"name":"w","shape":[3,4]},{"name":"b","shape":[4]}])"));
  EXPECT_NE(layout.Hash(), ParameterLayout::Make({Part("b", {4}), Part("w", {3, 4})}).value().Hash());
  EXPECT_NE(layout.Hash(), ParameterLayout::Make({Part("w", {4, 3}), Part("b", {4})}).value().Hash());
}

TEST(ParameterLayout, ReadsBackFromJson) {
  const ParameterLayout layout = ParameterLayout::Make({Part("w", {3, 4}), Part("b.0", {})}).value();
  EXPECT_EQ(ParameterLayout::FromJson(layout.ToJson()).value(), layout);
}

TEST(ParameterLayout, RefusesMalformedLayouts) {
  for (const char* text :
       {R"({})", R"([1])", R"([{"name":"w"}])", R"([{"name":"w","shape":[0]}])", R"([{"name":"w","shape":[-1]}])",
        R"([{"name":"w","shape":[1.5]}])", R"([{"name":"","shape":[1]}])", R"([{"name":"a b","shape":[1]}])",
        R"([{"name":"w","shape":[1]},{"name":"w","shape":[1]}])", R"([{"name":"w","shape":[1],"more":1}])",
        R"([{"name":"w","shape":[4294967296,2]}])", R"([{"name":"w","shape":[4294967296,4294967296,4294967296]}])",
        R"([{"name":"v","shape":[4294967295]},{"name":"w","shape":[2]}])"}) {
    EXPECT_FALSE(ParameterLayout::FromJson(Json::parse(text)).ok()) << text;
  }
}

TEST(Floats, TravelLittleEndianAndFinite) {
  const std::vector<float> values = {1.0F, -0.0F, 3.5e-40F};
  EXPECT_EQ(ToHex(EncodeFloats(values)).substr(0, 16), "0000803f00000080");
  EXPECT_EQ(DecodeFloats(EncodeFloats(values)).value(), values);
  EXPECT_TRUE(DecodeFloats({}).value().empty());
  EXPECT_FALSE(DecodeFloats(Bytes(7)).ok());
  EXPECT_FALSE(DecodeFloats(EncodeFloats(std::vector<float>{1.0F, std::numeric_limits<float>::quiet_NaN()})).ok());
  EXPECT_FALSE(DecodeFloats(EncodeFloats(std::vector<float>{-std::numeric_limits<float>::infinity()})).ok());
}

}  // namespace
}  // namespace synod
