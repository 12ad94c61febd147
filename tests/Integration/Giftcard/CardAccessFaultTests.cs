using System.Globalization;
using System.Net;
using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Who gets at a card with what they type, what they are shown, and what they must not send.</summary>
public sealed class CardAccessFaultTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const string Canary = "canary";

    /// <summary>How codes arrive that were copied from a mail, a form or a chat.</summary>
    public static TheoryData<string, string> Pastes =>
        new()
        {
            { "\t", "" },
            { "\n", "" },
            { "\r\n", "" },
            { "\u00A0", "-" },
            { "\u200B", "\u200B" },
            { "\uFEFF", " " },
            { "", "\u2013" },
            { "", "\u2011" },
            { " ", "\u2014" },
            { "", "\u2009" },
            { "", "_" },
            { "", "\uFF0D" },
        };

    [Fact]
    public async Task Fault_04_Of_many_wrong_PINs_at_once_five_lock_the_card_and_the_right_one_comes_too_late()
    {
        var (id, code) = await WithPinAsync("4711");
        var first = 0;
        var late = default(Task<HttpStatusCode>?);
        await Task.WhenAll(
            Enumerable
                .Range(0, 200)
                .Select(async i =>
                {
                    await LookUpAsync(code, (1000 + i).ToString(CultureInfo.InvariantCulture));
                    if (Interlocked.Increment(ref first) == CardSecrets.PinTries)
                    {
                        late = LookUpAsync(code, "4711");
                    }
                })
        );
        Assert.Equal(HttpStatusCode.NotFound, await late!);
        Assert.Equal(HttpStatusCode.NotFound, await LookUpAsync(code, "4711"));
        Assert.Equal(
            1,
            await api.CountAsync(
                $"SELECT count(*) FROM gift_cards WHERE gift_card_id = '{GiftcardApi.CardUuid(id)}' "
                    + "AND pin_failures = 0 AND pin_locked_until > now()"
            )
        );
        // One lock, so five comparisons: each further five would have told of another.
        await Eventually.TrueAsync(() => LocksTold(id) > 0);
        Assert.Equal(1, LocksTold(id));
    }

    [Fact]
    public async Task Fault_04_The_right_PIN_many_times_at_once_locks_nobody_out()
    {
        var (_, code) = await WithPinAsync("4711");
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => LookUpAsync(code, "4711")));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a));
    }

    [Theory]
    [MemberData(nameof(Pastes))]
    public async Task Fault_26_A_code_is_found_however_it_was_pasted(string around, string between)
    {
        var (id, code) = await api.SellAsync(1000);
        var typed = around + string.Join(between, code.Chunk(4).Select(c => new string(c))) + around;
        Assert.Equal(
            id,
            (await api.PostAsync("/v1/gift_cards/lookup", new { code = typed })).GetProperty("id").GetString()
        );
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(typed.ToLowerInvariant(), 10), 201);
        var wide = string.Concat(code.Select(c => (char)(c + 0xFEE0)));
        Assert.Equal(
            id,
            (await api.PostAsync("/v1/gift_cards/lookup", new { code = wide })).GetProperty("id").GetString()
        );
    }

    [Fact]
    public async Task Fault_26_The_last_four_are_found_as_they_are_read()
    {
        for (var tries = 0; tries < 200; tries++)
        {
            var (id, code) = await api.SellAsync(1);
            var last4 = CardCode.Last4(code);
            if (last4.Contains('0', StringComparison.Ordinal) || last4.Contains('1', StringComparison.Ordinal))
            {
                var read = " " + last4.Replace('0', 'o').Replace('1', 'l') + " ";
                var found = await api.GetAsync($"/v1/gift_cards?last4={Uri.EscapeDataString(read)}");
                Assert.Contains(id, found.GetRawText(), StringComparison.Ordinal);
                return;
            }
        }

        Assert.Fail("200 codes without a 0 or a 1 at their ends.");
    }

    [Fact]
    public async Task Fault_26_What_can_be_no_code_is_no_guess()
    {
        var (merchant, key) = api.NewMerchant();
        var code = CardCode.New();
        foreach (
            var slip in (string[])
                [code[..7], code + code + "A", "12 34", "?", code[..15] + (code[15] == 'A' ? 'B' : 'A')]
        )
        {
            Assert.Equal(
                "gift_card_not_usable",
                GiftcardApi.Code(await api.PostAsync("/v1/gift_cards/lookup", new { code = slip }, 404, key: key))
            );
        }

        Assert.Equal(0, await MissesAsync(merchant));
        await api.PostAsync("/v1/gift_cards/lookup", new { code }, 404, key: key);
        Assert.Equal(1, await MissesAsync(merchant));
    }

    [Fact]
    public async Task Fault_30_A_guesser_is_told_of()
    {
        var (merchant, key) = api.NewMerchant();
        for (var i = 0; i < 45; i++)
        {
            await api.PostAsync("/v1/gift_cards/lookup", new { code = CardCode.New() }, 404, key: key);
        }

        Assert.Contains($"{merchant} missed 20 codes within a minute", api.Service.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fault_29_A_merchant_that_takes_a_card_sees_nothing_of_its_issuers_business()
    {
        var shop = api.NewMerchant();
        var program = await api.ProgramAsync(
            new
            {
                name = Canary,
                currency = "EUR",
                reference = Canary + Guid.CreateVersion7(),
                metadata = new { note = Canary },
                accepted_at = new[] { new { merchant_id = shop.Id.ToString(), commission_basis_points = 100 } },
            }
        );
        await api.AcceptAsync(program, shop.Key);
        var customer = CustomerId.New(TimeProvider.System).ToString();
        var card = await api.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = program,
                amount = GiftcardApi.Eur(1000),
                customer_id = customer,
                reference = Canary + Guid.CreateVersion7(),
                metadata = new { note = Canary },
            },
            201
        );
        var (id, code) = (card.GetProperty("id").GetString(), card.GetProperty("code").GetString()!);
        var seen = new List<string>();
        async Task SeeAsync(string path, object? body, int status) =>
            seen.Add((await api.PostAsync(path, body, status, key: shop.Key)).GetRawText());
        await SeeAsync("/v1/gift_cards/lookup", new { code }, 200);
        await SeeAsync("/v1/redemptions/quote", GiftcardApi.Redemption(code, 10), 200);
        await SeeAsync("/v1/redemptions", GiftcardApi.Redemption(code, 9999), 422);
        await SeeAsync(
            "/v1/redemptions",
            new
            {
                mode = "immediate",
                amount = GiftcardApi.Eur(1),
                sources = new[] { new { gift_card = new { id } } },
            },
            404
        );
        var held = await api.PostAsync(
            "/v1/redemptions",
            GiftcardApi.Redemption(code, 10, "two_phase", reference: "SHOP-" + Guid.CreateVersion7()),
            201,
            key: shop.Key
        );
        seen.Add(held.GetRawText());
        var redemption = $"/v1/redemptions/{held.GetProperty("id").GetString()}";
        await SeeAsync($"{redemption}/confirm", null, 200);
        await SeeAsync($"{redemption}/refunds", null, 201);
        seen.Add((await api.GetAsync($"{redemption}/timeline", key: shop.Key)).GetRawText());
        Assert.All(
            seen,
            answer =>
            {
                Assert.DoesNotContain(Canary, answer, StringComparison.Ordinal);
                Assert.DoesNotContain(customer, answer, StringComparison.Ordinal);
            }
        );
        Assert.DoesNotContain(
            "SHOP-",
            (await api.GetAsync($"/v1/gift_cards/{id}/activities")).GetRawText(),
            StringComparison.Ordinal
        );
        Assert.Contains(
            Canary,
            (await api.PostAsync("/v1/gift_cards/lookup", new { code })).GetRawText(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Fault_29_Merchants_see_neither_exceptions_nor_operators()
    {
        await api.SqlAsync(
            """
            CREATE FUNCTION canary_fails() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF NEW.metadata ->> 'fail' IS NOT NULL THEN
                    RAISE EXCEPTION 'canary of %', TG_TABLE_NAME;
                END IF;
                RETURN NEW;
            END $$;
            CREATE TRIGGER canary BEFORE INSERT ON gift_cards FOR EACH ROW EXECUTE FUNCTION canary_fails()
            """
        );
        var batch = await api.PostAsync(
            "/v1/gift_cards/bulk",
            new
            {
                program_id = await api.ProgramAsync(),
                quantity = 1,
                metadata = new { fail = "yes" },
            },
            202
        );
        var path = $"/v1/gift_cards/bulk/{batch.GetProperty("id").GetString()}";
        await Eventually.TrueAsync(async () => (await api.GetAsync(path)).TryGetProperty("last_error", out _));
        Assert.Equal("internal_error", (await api.GetAsync(path)).GetProperty("last_error").GetString());
        await api.SqlAsync("DROP TRIGGER canary ON gift_cards");

        var (_, code) = await api.SellAsync(100);
        var held = (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 50, "two_phase"), 201))
            .GetProperty("id")
            .GetString();
        await api.OperateAsync($"/ops/v1/runs/{held}/cancel", new { reason = Canary });
        var timeline = (await api.GetAsync($"/v1/redemptions/{held}/timeline")).GetProperty("data");
        Assert.DoesNotContain(Canary, timeline.GetRawText(), StringComparison.Ordinal);
        Assert.All(
            timeline.EnumerateArray(),
            entry =>
                Assert.Contains(
                    entry.GetProperty("actor").GetString(),
                    (string[])["till", "giftcard", "clock", "operator"]
                )
        );
    }

    [Fact]
    public async Task Fault_28_A_refusal_of_a_reference_names_the_object_that_has_it()
    {
        var program = await api.ProgramAsync();
        var (card, code) = await api.SellAsync(1000, program);
        foreach (
            var (path, body) in new (string, Func<string, object>)[]
            {
                (
                    "/v1/programs",
                    r => new
                    {
                        name = "P",
                        currency = "EUR",
                        reference = r,
                    }
                ),
                (
                    "/v1/rewards",
                    r => new
                    {
                        name = "R",
                        amount = GiftcardApi.Eur(1),
                        reference = r,
                    }
                ),
                (
                    "/v1/gift_cards",
                    r => new
                    {
                        program_id = program,
                        amount = GiftcardApi.Eur(1),
                        reference = r,
                    }
                ),
                (
                    "/v1/gift_cards/bulk",
                    r => new
                    {
                        program_id = program,
                        quantity = 1,
                        reference = r,
                    }
                ),
                ($"/v1/gift_cards/{card}/load", r => new { amount = GiftcardApi.Eur(1), reference = r }),
                ("/v1/redemptions", r => GiftcardApi.Redemption(code, 1, reference: r)),
            }
        )
        {
            var reference = Guid.CreateVersion7().ToString();
            using var first = await api.SendAsync(HttpMethod.Post, path, api.Key, body(reference), null);
            Assert.True(first.IsSuccessStatusCode);
            var id = JsonSerializer
                .Deserialize<JsonElement>(await first.Content.ReadAsStringAsync())
                .GetProperty("id")
                .GetString()!;
            var refused = await api.PostAsync(path, body(reference), 422);
            Assert.Equal("reference_reused", GiftcardApi.Code(refused));
            Assert.Contains(id, refused.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Fault_28_Not_more_than_five_batches_are_started_at_once()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key: key);
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 20)
                .Select(async _ =>
                {
                    using var answer = await api.SendAsync(
                        HttpMethod.Post,
                        "/v1/gift_cards/bulk",
                        key,
                        new { program_id = program, quantity = 10_000 },
                        null
                    );
                    return answer.StatusCode;
                })
        );
        Assert.Equal(5, answers.Count(a => a == HttpStatusCode.Accepted));
        await api.SqlAsync("UPDATE card_batches SET state = 'expired', due_at = NULL WHERE state = 'making'");
    }

    [Fact]
    public async Task Fault_28_Another_merchants_customer_and_location_are_no_reference()
    {
        var (program, strange) = (await api.ProgramAsync(), Base32.Format(GiftcardApi.Stranger));
        Assert.Equal(
            "/customer_id",
            Pointer(
                await api.PostAsync(
                    "/v1/gift_cards",
                    new
                    {
                        program_id = program,
                        amount = GiftcardApi.Eur(1),
                        customer_id = $"cus_{strange}",
                    },
                    400
                )
            )
        );
        Assert.Equal(
            "/locations/0",
            Pointer(
                await api.PostAsync(
                    "/v1/programs",
                    new
                    {
                        name = "P",
                        currency = "EUR",
                        locations = new[] { $"loc_{strange}" },
                    },
                    400
                )
            )
        );
        var (_, code) = await api.SellAsync(10, program);
        Assert.Equal(
            "/location_id",
            Pointer(
                await api.PostAsync(
                    "/v1/redemptions",
                    new
                    {
                        mode = "immediate",
                        amount = GiftcardApi.Eur(1),
                        sources = new[] { new { gift_card = new { code } } },
                        location_id = $"loc_{strange}",
                    },
                    400
                )
            )
        );
    }

    public static TheoryData<string, string> Nuls =>
        new()
        {
            { "/v1/programs", """{"name":"a\u0000b","currency":"EUR"}""" },
            { "/v1/programs", """{"name":"a","currency":"EUR","metadata":{"a\u0000":"b"}}""" },
            { "/v1/programs", """{"name":"a","currency":"EUR","metadata":{"a":"\u0000"}}""" },
            { "/v1/rewards", """{"name":"a","amount":{"amount":1,"currency":"EUR"},"description":"\u0000"}""" },
            { "/v1/gift_cards/CARD/load", """{"amount":{"amount":1,"currency":"EUR"},"reference":"a\u0000"}""" },
            { "/v1/gift_cards/CARD/load", """{"amount":{"amount":1,"currency":"EUR"},"reason":"a\u0000"}""" },
            { "/v1/gift_cards/CARD/close", """{"reason":"a\u0000"}""" },
            { "/v1/gift_cards/CARD/block", """{"reason":"a\u0000"}""" },
            { "/v1/gift_cards/CARD/replace", """{"reason":"a\u0000"}""" },
            { "/v1/gift_cards/CARD/merge", """{"from":{"code":"a\u0000"}}""" },
            { "/v1/redemptions/HELD/cancel", """{"reason":"a\u0000"}""" },
            { "/v1/holds/HOLD/release", """{"reason":"a\u0000"}""" },
        };

    [Theory]
    [MemberData(nameof(Nuls))]
    public async Task Fault_22_A_NUL_is_refused_before_anything_has_happened(string path, string body)
    {
        var (card, code) = await api.SellAsync(100);
        var held = await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 50, "two_phase"), 201);
        path = path.Replace("CARD", card, StringComparison.Ordinal)
            .Replace("HELD", held.GetProperty("id").GetString(), StringComparison.Ordinal)
            .Replace("HOLD", held.GetProperty("hold_id").GetString(), StringComparison.Ordinal);
        Assert.Equal("invalid_request", GiftcardApi.Code(await api.PostAsync(path, body, 400)));
        var after = await api.GetAsync($"/v1/gift_cards/{card}");
        Assert.Equal(("active", 50), (after.GetProperty("status").GetString(), GiftcardApi.Amount(after, "held")));
        Assert.Equal("invalid_request", GiftcardApi.Code(await api.GetAsync("/v1/gift_cards?reference=a%00", 400)));
        Assert.Equal("invalid_request", GiftcardApi.Code(await api.GetAsync("/v1/gift_cards?last4=a%00", 400)));
    }

    private static string Pointer(JsonElement problem) =>
        problem.GetProperty("errors")[0].GetProperty("pointer").GetString()!;

    private int LocksTold(string id) =>
        api.Sidecar.Published.Count(p =>
            p.GetRawText().Contains("gift_card.pin_locked", StringComparison.Ordinal)
            && p.GetRawText().Contains(id, StringComparison.Ordinal)
        );

    private async Task<(string Id, string Code)> WithPinAsync(string pin)
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "PIN",
                currency = "EUR",
                pin = "optional",
            }
        );
        var card = await api.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = program,
                amount = GiftcardApi.Eur(1000),
                pin,
            },
            201
        );
        return (card.GetProperty("id").GetString()!, card.GetProperty("code").GetString()!);
    }

    /// <summary>What is said once the service is not busy: with so many at once, some are told to come again.</summary>
    private async Task<HttpStatusCode> LookUpAsync(string code, string pin)
    {
        var status = default(HttpStatusCode);
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await api.SendAsync(
                HttpMethod.Post,
                "/v1/gift_cards/lookup",
                api.Key,
                new { code, pin },
                null
            );
            status = answer.StatusCode;
            return status != HttpStatusCode.ServiceUnavailable;
        });
        return status;
    }

    private Task<long> MissesAsync(MerchantId merchant) =>
        api.CountAsync(
            $"SELECT coalesce(sum(misses), 0)::bigint FROM code_misses " + $"WHERE merchant_id = '{merchant.Value}'"
        );
}
