using System.Text.Json;
using LocalPlus.Tests.Integration.Support;
using Npgsql;
using static LocalPlus.Tests.Integration.Wallet.Loyalty.LoyaltyApi;

namespace LocalPlus.Tests.Integration.Wallet.Loyalty;

/// <summary>
/// Purchases that come at the same time share a transaction, and each has its own outcome. So that they do, one before
/// them is held up by a lock until they are on their way.
/// </summary>
public sealed class EarningsAtOnceTests(LoyaltyApi api) : IClassFixture<LoyaltyApi>
{
    /// <summary>Each is judged by what the one before has left: caps by day, first purchases, tiers.</summary>
    [Fact]
    public async Task Those_of_one_member_are_judged_one_after_the_other()
    {
        var (merchant, key) = api.NewMerchant();
        var program = await api.ProgramAsync(
            key,
            new
            {
                tiers = new
                {
                    qualification_days = 30,
                    grace_days = 5,
                    levels = new[] { new { name = "gold", from_points = 40 } },
                },
            }
        );
        var member = await api.MemberAsync(key, program);
        await api.RuleAsync(
            key,
            program,
            new
            {
                effect = "bonus",
                points = 7,
                max_per_day = 17,
                order = 1,
            }
        );
        await api.RuleAsync(
            key,
            program,
            new
            {
                effect = "bonus",
                points = 100,
                first_purchase = true,
                order = 2,
            },
            budget: 230
        );

        var earned = await TogetherAsync(
            key,
            program,
            Enumerable.Range(0, 8).Select(i => Purchase(member, $"till-{i}", 1000)).ToArray()
        );

        Assert.All(earned, answer => Assert.Equal(201, answer.Status));
        var points = earned.Select(answer => answer.Body.GetProperty("points").GetInt64()).ToArray();
        Assert.Equal([10, 10, 10, 10, 10, 13, 17, 117], points.Order());
        Assert.Equal(points.Sum(), await api.PointsAsync(key, member));
        Assert.Equal(points.Sum(), await api.BookedAsync(merchant, $"member:{member}:points"));
        Assert.Equal("gold", (await api.GetAsync(key, $"/v1/members/{member}")).GetProperty("tier").GetString());
    }

    [Fact]
    public async Task Each_has_its_own_outcome()
    {
        var (merchant, key) = api.NewMerchant();
        var (_, foreign) = api.NewMerchant();
        var program = await api.ProgramAsync(key);
        var (member, other) = (await api.MemberAsync(key, program), await api.MemberAsync(key, program));
        var gone = await api.MemberAsync(key, program);
        await api.PostAsync(key, $"/v1/members/{gone}/leave", new { });
        var strangers = await api.MemberAsync(foreign, await api.ProgramAsync(foreign));

        var answers = await TogetherAsync(
            key,
            program,
            Purchase(member, "same", 1000),
            Purchase(other, "same", 2000),
            Purchase(member, "own", 3000, "one-key"),
            Purchase(gone, "left", 1000),
            Purchase(strangers, "not-ours", 1000),
            Purchase(member, "dollars", 1000, currency: "USD")
        );

        Assert.Equal([201, 201, 404, 409, 422, 422], answers.Select(answer => answer.Status).Order());
        Assert.Equal(
            ["currency_mismatch", "member_state", "not_found", "reference_reused"],
            answers.Where(answer => answer.Status > 201).Select(answer => Code(answer.Body)).Order()
        );
        var all = await api.PointsAsync(key, member) + await api.PointsAsync(key, other);
        // With the one point of who was before them.
        Assert.Equal(all + 1, await api.BookedAsync(merchant, "loyalty:liability"));
        Assert.Contains(all, (long[])[40, 50]);

        // What was refused is refused again by the same key, and what was counted is not counted twice.
        var again = await TogetherAsync(key, program, Purchase(member, "own", 3000, "one-key"));
        Assert.Equal(201, again[0].Status);
        Assert.Equal(Id(answers[2].Body), Id(again[0].Body));
        Assert.Equal(all, await api.PointsAsync(key, member) + await api.PointsAsync(key, other));
    }

    // Every member: whoever comes first waits, whoever it is for.
    private const string Hold = "SELECT 1 FROM members FOR UPDATE";

    private const string Waiting = "pg_locks WHERE NOT granted";

    private static (object Body, string Key) Purchase(
        string member,
        string reference,
        long amount,
        string? key = null,
        string currency = "EUR"
    ) =>
        (
            new
            {
                member_id = member,
                reference,
                amount = new { amount, currency },
            },
            key ?? $"{Guid.CreateVersion7()}"
        );

    /// <summary>Sends all of them while one that came before waits for a lock.</summary>
    private async Task<(int Status, JsonElement Body)[]> TogetherAsync(
        string key,
        string program,
        params (object Body, string Key)[] purchases
    )
    {
        var first = await api.MemberAsync(key, program);
        await using var connection = new NpgsqlConnection(api.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var held = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand(Hold, connection, held))
        {
            await hold.ExecuteNonQueryAsync();
        }

        var before = api.EarnAsync(key, first, 100);
        await Eventually.TrueAsync(async () => await api.CountAsync(Waiting) > 0);
        var answers = Array.ConvertAll(purchases, one => AnswerAsync(key, one.Body, one.Key));
        await held.CommitAsync();
        await before;
        return await Task.WhenAll(answers);
    }

    /// <summary>Of a till that repeats with its key what was not answered.</summary>
    private async Task<(int Status, JsonElement Body)> AnswerAsync(string key, object body, string idempotencyKey)
    {
        var (status, text) = (0, "");
        await Eventually.TrueAsync(async () =>
        {
            using var answer = await api.Service.SendAsync(HttpMethod.Post, "/v1/earnings", key, body, idempotencyKey);
            (status, text) = ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
            return status is not (429 or 503);
        });
        return (status, JsonElement.Parse(text));
    }
}
