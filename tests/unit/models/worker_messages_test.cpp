#include "models/worker/worker_messages.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/core/canonical_json.h"
#include "common/query/public_random.h"

namespace synod {
namespace {

const RunOffer kOffer{"[run]\nname = \"a\"\n", "name = \"schema\"\n", "plan\xff\x00text"};
const QueryName kName{RunId{{1, 2, 3}}, 7, 2};

std::shared_ptr<const Query> SomeQuery() {
  Query query;
  query.index = 7;
  query.entry = 1;
  query.kind = QueryKind::kGradient;
  query.context = {1.5F, -0.0F, std::numeric_limits<float>::infinity()};
  query.parameters = {0.25F, std::numeric_limits<float>::denorm_min(), -3e38F, std::nanf("")};
  return std::make_shared<const Query>(std::move(query));
}

Participation SomeParticipation() {
  Participation participation;
  participation.Record(0, 0, 0, false, {1});
  participation.Record(0, 1, 0, true, {0, 1, 2});
  participation.Record(1, 0, 1, true, {0, 2});
  return participation;
}

std::vector<WorkerRequest> AllRequests() {
  ResolveRequest resolve{kOffer.specification, kOffer.schema, {{"site-a", Digest{7}}, {"site-\xfc", Digest{}}}};
  TrainRequest start;
  start.left = {2, 600};
  start.want_checkpoint = true;
  TrainRequest train;
  train.has_sum = true;
  train.answered = SomeQuery();
  train.words = {1, 2, 3, 4, 0, 255};
  train.answers = 4;
  train.left = {0, ~std::uint64_t{0}};
  return {resolve,
          ReviewRequest{kOffer},
          OpenSiteRequest{RunId{{9}},
                          kOffer,
                          {"/data/r\xe9"
                           "cords.csv",
                           "clamp"}},
          AnswerRequest{kName, SomeQuery()},
          OpenTrainerRequest{RunId{{9}}, kOffer, std::nullopt},
          OpenTrainerRequest{RunId{{9}}, kOffer, Bytes{}},
          OpenTrainerRequest{RunId{{9}}, kOffer, Bytes{5, 0, 6}},
          start,
          train,
          DraftRequest{RunId{{9}}, SomeParticipation(), 1790000000},
          CheckDraftRequest{kOffer, Bytes{'S', 'Y', 0, 'N'}}};
}

std::vector<WorkerReply> AllReplies() {
  ReviewReply review;
  review.plan_matches = true;
  review.difference = "entries[0].site_variance";
  review.explanation = "{\"epsilon\": 1}";
  review.epsilon[0] = {0.1, 1.0 / 3.0, std::nextafter(3.0, 4.0)};
  review.epsilon[2][2] = HUGE_VAL;
  review.parameters = 123456;
  TrainReply trained;
  trained.next = SomeQuery();
  trained.news = {0.1 + 0.2, 0.75};
  trained.checkpoint = Bytes{1, 2};
  CheckDraftReply checked{true, "", Digest{3}, RunId{{9}}, SomeParticipation()};
  return {ResolveReply{kOffer, "{}"},
          review,
          OpenSiteReply{"10 rows were read, 9 kept."},
          AnswerReply{kName, Bytes{0, 1, 2, 3}},
          AnswerMalformedReply{kName},
          OpenTrainerReply{},
          trained,
          TrainReply{},
          DraftReply{Bytes{8, 9}, Digest{4}},
          checked,
          FailedReply{Error{ErrorCode::kRefused, "no\xffpe", "ask \"somebody\""}}};
}

bool Same(const WorkerParts& a, const WorkerParts& b) {
  return a.header == b.header && a.payload == b.payload;
}

// What both directions share: how bytes become a message and become bytes again.
struct Direction {
  std::string name;
  std::vector<WorkerParts> messages;
  Result<WorkerParts> (*again)(const WorkerParts&);  // decoded and encoded
};

Result<WorkerParts> RequestAgain(const WorkerParts& parts) {
  SYNOD_ASSIGN_OR_RETURN(const WorkerRequest request, DecodeRequest(parts.header, parts.payload));
  return EncodeRequest(request);
}

Result<WorkerParts> ReplyAgain(const WorkerParts& parts) {
  SYNOD_ASSIGN_OR_RETURN(const WorkerReply reply, DecodeReply(parts.header, parts.payload));
  return EncodeReply(reply);
}

std::vector<Direction> BothDirections() {
  Direction requests{"request", {}, &RequestAgain};
  for (const WorkerRequest& request : AllRequests()) requests.messages.push_back(EncodeRequest(request));
  Direction replies{"reply", {}, &ReplyAgain};
  for (const WorkerReply& reply : AllReplies()) replies.messages.push_back(EncodeReply(reply));
  return {requests, replies};
}

TEST(WorkerMessages, ComeBackBitForBit) {
  for (const Direction& direction : BothDirections()) {
    for (const WorkerParts& message : direction.messages) {
      const Result<WorkerParts> again = direction.again(message);
      ASSERT_TRUE(again.ok()) << message.header << again.error().message;
      EXPECT_TRUE(Same(*again, message)) << message.header;
    }
  }
}

TEST(WorkerMessages, KeepEveryFieldOfAnAnswerAndItsQuery) {
  const AnswerRequest asked{kName, SomeQuery()};
  const WorkerParts parts = EncodeRequest(asked);
  const WorkerRequest decoded = DecodeRequest(parts.header, parts.payload).value();
  const auto& got = std::get<AnswerRequest>(decoded);
  EXPECT_EQ(got.name, asked.name);
  EXPECT_EQ(got.query->index, 7U);
  EXPECT_EQ(got.query->entry, 1U);
  EXPECT_EQ(got.query->kind, QueryKind::kGradient);
  EXPECT_EQ(got.query->context, asked.query->context);
  ASSERT_EQ(got.query->parameters.size(), 4U);
  EXPECT_EQ(got.query->parameters[2], -3e38F);
  EXPECT_TRUE(std::isnan(got.query->parameters[3])) << "what is not finite is for whoever computes to refuse";
}

TEST(WorkerMessages, KeepEpsilonsToTheLastBit) {
  const std::vector<WorkerReply> replies = AllReplies();
  const auto& said = std::get<ReviewReply>(replies[1]);
  const WorkerParts parts = EncodeReply(said);
  const WorkerReply decoded = DecodeReply(parts.header, parts.payload).value();
  EXPECT_EQ(std::get<ReviewReply>(decoded).epsilon, said.epsilon);
}

TEST(WorkerMessages, RefusePayloadThatIsTooShortOrTooLong) {
  for (const Direction& direction : BothDirections()) {
    for (WorkerParts message : direction.messages) {
      for (std::size_t bytes = 0; bytes < message.payload.size(); ++bytes) {
        const WorkerParts cut{message.header, Bytes(message.payload.begin(),
                                                    message.payload.begin() + static_cast<std::ptrdiff_t>(bytes))};
        ASSERT_FALSE(direction.again(cut).ok()) << message.header << " cut to " << bytes;
      }
      message.payload.push_back(0);
      EXPECT_FALSE(direction.again(message).ok()) << message.header;
    }
  }
}

TEST(WorkerMessages, RefuseAKeyThatIsMissingOrUnknownAndAValueOfAnotherType) {
  for (const Direction& direction : BothDirections()) {
    for (const WorkerParts& message : direction.messages) {
      const Json header = Json::parse(message.header);
      for (const auto& [key, value] : header.items()) {
        Json missing = header;
        missing.erase(key);
        EXPECT_FALSE(direction.again({missing.dump(), message.payload}).ok()) << message.header << " without " << key;
        for (const Json& other : {Json(-1), Json(1e300), Json(nullptr), Json("\u00e9"), Json::array({1, -2}),
                                  Json::object({{"a", 1}}), Json(std::uint64_t{1} << 60)}) {
          if (other == value) continue;
          Json changed = header;
          changed[key] = other;
          const bool count = key == "parameters" && message.header.find("reviewed") != std::string::npos;
          if (count && other.is_number_unsigned()) continue;  // a number of parameters may be any
          EXPECT_FALSE(direction.again({changed.dump(), message.payload}).ok()) << changed.dump();
        }
      }
      Json more = header;
      more["extra"] = 1;
      EXPECT_FALSE(direction.again({more.dump(), message.payload}).ok());
    }
  }
}

// Whatever bytes come, they are refused or are a message that encodes to one form; nothing crashes or asks for memory.
TEST(WorkerMessages, SurviveThousandsOfMutations) {
  PublicRandom random(11, "test.worker_messages");
  int decoded = 0;
  for (const Direction& direction : BothDirections()) {
    for (const WorkerParts& message : direction.messages) {
      for (int i = 0; i < 400; ++i) {
        WorkerParts mutated = message;
        for (std::uint64_t edits = 1 + random.IntegerBelow(3); edits > 0; --edits) {
          const std::size_t at = random.IntegerBelow(mutated.header.size());
          const char byte =
              static_cast<char>(random.IntegerBelow(2) == 0 ? random.IntegerBelow(256) : '0' + random.IntegerBelow(10));
          if (random.IntegerBelow(4) == 0)
            mutated.header.erase(at, 1 + random.IntegerBelow(4));
          else
            mutated.header[at] = byte;
          if (mutated.header.empty()) mutated.header.push_back('{');
          if (!mutated.payload.empty()) {
            mutated.payload[random.IntegerBelow(mutated.payload.size())] ^=
                static_cast<std::uint8_t>(1 << random.IntegerBelow(8));
          }
        }
        const Result<WorkerParts> once = direction.again(mutated);
        if (!once.ok()) continue;
        ++decoded;
        const Result<WorkerParts> twice = direction.again(*once);
        ASSERT_TRUE(twice.ok());
        ASSERT_TRUE(Same(*once, *twice));
      }
    }
  }
  EXPECT_GT(decoded, 100) << "the mutations are too wild to test anything";
}

TEST(WorkerMessages, RefuseTypesOfTheOtherDirectionAndNoise) {
  for (const char* header : {"", "{}", "[]", "null", "{\"type\": 3}", "{\"type\": \"trained\"}", "{\"type\": \"\"}",
                             "{\"type\": \"resolve\", \"type\": \"review\"}", "\xff\xfe"}) {
    EXPECT_FALSE(DecodeRequest(header, {}).ok()) << header;
  }
  EXPECT_FALSE(DecodeReply("{\"type\": \"review\"}", {}).ok());
  EXPECT_FALSE(DecodeReply(std::string(std::size_t{2} << 20, ' '), {}).ok());
}

TEST(WorkerMessages, RefuseASumWithoutItsCountAndACountWithoutItsSum) {
  TrainRequest train;
  train.has_sum = true;
  train.answered = SomeQuery();
  train.answers = 1;
  const WorkerParts parts = EncodeRequest(train);
  Json header = Json::parse(parts.header);
  header["answers"] = 0;
  EXPECT_FALSE(DecodeRequest(header.dump(), parts.payload).ok());
  header["answers"] = 1;
  header["has_sum"] = false;
  EXPECT_FALSE(DecodeRequest(header.dump(), parts.payload).ok());
}

}  // namespace
}  // namespace synod
