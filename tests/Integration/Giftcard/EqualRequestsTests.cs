using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// The same request many times at once, with every optional field set: one is carried out, and every other one is told
/// what it did or to ask again; none learns of a refusal that only the first one's effect explains.
/// </summary>
[Trait("Run", "named")]
public sealed partial class EqualRequestsTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    /// <summary>Read-only, or known by what they carry instead of a key.</summary>
    private static readonly string[] WithoutKey =
    [
        "/gift_cards/import/{id}/parts/{part}",
        "/gift_cards/lookup",
        "/redemptions/quote",
        "/terminals/{id}/offline_batches",
    ];

    private static readonly Dictionary<string, string> Metadata = new() { ["order"] = "4711" };

    private static readonly TerminalId Till = TerminalId.New(TimeProvider.System);

    public static TheoryData<string> Routes => [.. Prepared.Keys];

    private static Dictionary<string, Func<GiftcardApi, Task<(string Path, object? Body)>>> Prepared { get; } =
        new()
        {
            ["/programs"] = _ =>
                At(
                    "/v1/programs",
                    new
                    {
                        name = "Terms",
                        currency = "EUR",
                        validity_days = 30,
                        vat_kind = "multi_purpose",
                        min_load = Eur(1),
                        max_load = Eur(9000),
                        max_balance = Eur(9000),
                        reloadable = true,
                        cash_out_below = Eur(100),
                        partial = "allow",
                        pin = "optional",
                        locations = new[] { LocationId.New(TimeProvider.System).ToString() },
                        image_url = "https://shop.test/a.png",
                        reference = Unique(),
                        metadata = Metadata,
                    }
                ),
            ["/rewards"] = _ =>
                At(
                    "/v1/rewards",
                    new
                    {
                        name = "A coffee",
                        amount = Eur(300),
                        description = "hot",
                        image_url = "https://shop.test/c.png",
                        validity_days = 3,
                        quantity = 5,
                        reference = Unique(),
                    }
                ),
            ["/rewards/{id}/redeem"] = async api =>
            {
                var reward = await api.PostAsync(
                    "/v1/rewards",
                    new
                    {
                        name = "The last one",
                        amount = Eur(100),
                        quantity = 1,
                    },
                    201
                );
                return ($"/v1/rewards/{Id(reward)}/redeem", new { gift_card_id = (await api.SellAsync(100)).Id });
            },
            ["/gift_cards"] = async api =>
                (
                    "/v1/gift_cards",
                    new
                    {
                        program_id = await ProgramAsync(api),
                        amount = Eur(500),
                        recipient = new { email = "a@shop.test", name = "A" },
                        pin = "1234",
                        reference = Unique(),
                        metadata = Metadata,
                    }
                ),
            ["/gift_cards (by mail)"] = async api =>
                (
                    "/v1/gift_cards",
                    new
                    {
                        program_id = await ProgramAsync(api),
                        amount = Eur(500),
                        customer_id = CustomerId.New(TimeProvider.System).ToString(),
                        delivery = new { from = "B", message = "Happy birthday" },
                        reference = Unique(),
                        metadata = Metadata,
                    }
                ),
            ["/gift_cards/bulk"] = async api =>
                (
                    "/v1/gift_cards/bulk",
                    new
                    {
                        program_id = await ProgramAsync(api),
                        quantity = 2,
                        reference = Unique(),
                        metadata = Metadata,
                    }
                ),
            ["/gift_cards/bulk/{id}/codes"] = async api =>
            {
                using var printer = RSA.Create(2048);
                var batch = Id(
                    await api.PostAsync(
                        "/v1/gift_cards/bulk",
                        new { program_id = await api.ProgramAsync(), quantity = 2 },
                        202
                    )
                );
                await Eventually.TrueAsync(async () =>
                    (await api.GetAsync($"/v1/gift_cards/bulk/{batch}")).GetProperty("state").GetString() == "ready"
                );
                return (
                    $"/v1/gift_cards/bulk/{batch}/codes",
                    new { public_key = printer.ExportSubjectPublicKeyInfoPem() }
                );
            },
            ["/gift_cards/import"] = async api =>
                (
                    "/v1/gift_cards/import",
                    new
                    {
                        program_id = await api.ProgramAsync(),
                        amounts = "minor_units",
                        columns = new { code = "voucher" },
                        reference = Unique(),
                    }
                ),
            ["/gift_cards/import/{id}/check"] = async api =>
                ($"/v1/gift_cards/import/{await UploadedAsync(api)}/check", new { }),
            ["/gift_cards/import/{id}/commit"] = async api =>
            {
                var import = await UploadedAsync(api);
                await StepAsync(api, import, "check", "checked");
                return ($"/v1/gift_cards/import/{import}/commit", new { });
            },
            ["/gift_cards/import/{id}/revert"] = async api =>
            {
                var import = await UploadedAsync(api);
                await StepAsync(api, import, "check", "checked");
                await StepAsync(api, import, "commit", "committed");
                return ($"/v1/gift_cards/import/{import}/revert", new { });
            },
            ["/jobs/{id}/cancel"] = async api => ($"/v1/jobs/{await UploadedAsync(api)}/cancel", new { }),
            ["/gift_cards/{id}/activate"] = async api =>
            {
                var card = Id(await api.PostAsync("/v1/gift_cards", new { program_id = await ProgramAsync(api) }, 201));
                return ($"/v1/gift_cards/{card}/activate", new { amount = Eur(500), reference = Unique() });
            },
            ["/gift_cards/{id}/load"] = api =>
                VerbAsync(
                    api,
                    "load",
                    new
                    {
                        amount = Eur(50),
                        kind = "promo",
                        expires_at = TimeProvider.System.GetUtcNow().AddDays(3),
                        reference = Unique(),
                        reason = "why",
                    }
                ),
            ["/gift_cards/{id}/adjust"] = api =>
                VerbAsync(
                    api,
                    "adjust",
                    new
                    {
                        amount = Eur(-50),
                        reference = Unique(),
                        reason = "why",
                    }
                ),
            ["/gift_cards/{id}/transfer"] = async api =>
                await VerbAsync(
                    api,
                    "transfer",
                    new
                    {
                        to = (await api.SellAsync(1)).Id,
                        amount = Eur(50),
                        reference = Unique(),
                        reason = "why",
                    }
                ),
            ["/gift_cards/{id}/merge"] = async api =>
                await VerbAsync(
                    api,
                    "merge",
                    new
                    {
                        from = new { code = (await api.SellAsync(70)).Code },
                        reference = Unique(),
                        reason = "why",
                    }
                ),
            ["/gift_cards/{id}/cash_out"] = async api =>
                await VerbAsync(api, "cash_out", new { reference = Unique(), reason = "why" }, 50),
            ["/gift_cards/{id}/close"] = async api =>
            {
                var (card, code) = await api.SellAsync(10);
                await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 10), 201);
                return ($"/v1/gift_cards/{card}/close", new { reason = "why" });
            },
            ["/gift_cards/{id}/block"] = api => VerbAsync(api, "block", new { reason = "why" }),
            ["/gift_cards/{id}/unblock"] = api => VerbAsync(api, "unblock", new { reason = "why" }),
            ["/gift_cards/{id}/extend"] = api =>
                VerbAsync(
                    api,
                    "extend",
                    new { expires_at = TimeProvider.System.GetUtcNow().AddDays(300), reason = "why" }
                ),
            ["/gift_cards/{id}/replace"] = api => VerbAsync(api, "replace", new { reason = "why" }),
            ["/redemptions"] = async api => ("/v1/redemptions", await RedemptionAsync(api, "immediate")),
            ["/redemptions (two phases)"] = async api =>
                ("/v1/redemptions", await RedemptionAsync(api, "two_phase", 600)),
            ["/redemptions/{id}/confirm"] = async api =>
                ($"/v1/redemptions/{await HeldAsync(api)}/confirm", new { amount = Eur(40) }),
            ["/redemptions/{id}/cancel"] = async api =>
                ($"/v1/redemptions/{await HeldAsync(api)}/cancel", new { reason = "why" }),
            ["/redemptions/{id}/extend"] = async api => ($"/v1/redemptions/{await HeldAsync(api)}/extend", Later()),
            ["/redemptions/{id}/refunds"] = async api =>
            {
                var (_, code) = await api.SellAsync(100);
                var paid = Id(await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 100), 201));
                return (
                    $"/v1/redemptions/{paid}/refunds",
                    new
                    {
                        amount = Eur(100),
                        reference = Unique(),
                        reason = "why",
                    }
                );
            },
            ["/reports/settlement/statements"] = _ =>
                At(
                    "/v1/reports/settlement/statements",
                    new { month = $"{TimeProvider.System.GetUtcNow().AddMonths(-2):yyyy-MM}" }
                ),
            ["/holds"] = async api =>
                (
                    "/v1/holds",
                    new
                    {
                        amount = Eur(50),
                        sources = new[]
                        {
                            new { gift_card = new { code = (await api.SellAsync(100)).Code }, max_amount = Eur(60) },
                        },
                        partial = "refuse",
                        location_id = GiftcardApi.PlaceOf(Till).ToString(),
                        terminal_id = Till.ToString(),
                        ttl_seconds = 600,
                        reference = Unique(),
                        metadata = Metadata,
                    }
                ),
            ["/holds/{id}/capture"] = async api =>
                ($"/v1/holds/{await HoldAsync(api)}/capture", new { amount = Eur(40) }),
            ["/holds/{id}/release"] = async api =>
                ($"/v1/holds/{await HoldAsync(api)}/release", new { reason = "why" }),
            ["/holds/{id}/extend"] = async api => ($"/v1/holds/{await HoldAsync(api)}/extend", Later()),
            ["/terminals/{id}/offline_allowances/{allowanceId}/revoke"] = async api =>
            {
                var path = $"/v1/terminals/{Till}/offline_allowances";
                var terms = new
                {
                    card_cap = Eur(100),
                    total_cap = Eur(900),
                    valid_seconds = 3600,
                };
                return ($"{path}/{Id(await api.PostAsync(path, terms, 201))}/revoke", new { });
            },
            ["/terminals/{id}/offline_allowances"] = _ =>
                At(
                    $"/v1/terminals/{Till}/offline_allowances",
                    new
                    {
                        card_cap = Eur(100),
                        total_cap = Eur(900),
                        valid_seconds = 3600,
                        location_id = GiftcardApi.PlaceOf(Till).ToString(),
                    }
                ),
        };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Fault_01_Equal_requests_at_once_are_one_and_all_learn_what_it_did(string route)
    {
        foreach (var times in (int[])[2, 5, 50])
        {
            var (path, body) = await Prepared[route](api);
            var key = Unique();
            var answers = await Task.WhenAll(Enumerable.Range(0, times).Select(_ => SendAsync(path, body, key)));
            Assert.All(
                answers,
                a => Assert.True(a.Status is >= 200 and < 300 || IsToAskAgain(a.Body), $"{times}: {a.Status} {a.Body}")
            );
            (int Status, string Body) last = (0, "");
            await Eventually.TrueAsync(
                async () => (last = await SendAsync(path, body, key)).Status is >= 200 and < 300,
                because: () => last.Body
            );
            Assert.All(answers.Where(a => a.Status < 300), a => Assert.Equal(last.Body, a.Body));
            Assert.Equal(0, api.Ledger.Total());
        }
    }

    [Fact]
    public async Task Fault_01_A_refusal_that_is_meant_is_the_answer_of_a_key_for_ever()
    {
        var program = await ProgramAsync(api);
        var reference = Unique();
        await api.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = program,
                amount = Eur(10),
                reference,
            },
            201
        );
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 5)
                .Select(_ =>
                    SendAsync(
                        "/v1/gift_cards",
                        new
                        {
                            program_id = program,
                            amount = Eur(20),
                            reference,
                        },
                        "refused-once"
                    )
                )
        );
        Assert.All(
            answers,
            a =>
                Assert.True(
                    a.Status == 422 || a.Body.Contains("\"request_in_progress\"", StringComparison.Ordinal),
                    a.Body
                )
        );
        Assert.Equal(
            422,
            (
                await SendAsync(
                    "/v1/gift_cards",
                    new
                    {
                        program_id = program,
                        amount = Eur(20),
                        reference,
                    },
                    "refused-once"
                )
            ).Status
        );
    }

    [Fact]
    public void Fault_01_Every_route_that_takes_a_key_is_tried_so()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "LocalPlus.sln")))
        {
            root = root.Parent!;
        }

        var mapped = Directory
            .EnumerateFiles(Path.Combine(root.FullName, "services", "giftcard"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/Runs/", StringComparison.Ordinal))
            .Where(file => !file.Contains("/RunBulks/", StringComparison.Ordinal))
            .SelectMany(file => MapPost().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value))
            .Except(WithoutKey);
        Assert.Equal(mapped.Order(), Prepared.Keys.Select(k => k.Split(' ')[0]).Distinct().Order());
    }

    private static bool IsToAskAgain(string body) =>
        JsonSerializer.Deserialize<JsonElement>(body).GetProperty("code").GetString()
            is "request_in_progress"
                or "busy"
                or "overloaded";

    [GeneratedRegex("MapPost\\(\\s*\"([^\"]+)\"")]
    private static partial Regex MapPost();
}
