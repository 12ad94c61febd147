using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Giftcard;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Caching;

/// <summary>What operators switch while the service runs, and copies of programmes.</summary>
public sealed class SwitchTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    public async Task Operators_stop_new_offline_allowances_and_let_them_go_on()
    {
        var key = Guid.CreateVersion7().ToString();
        Assert.Equal("", await AskAsync(key));

        // Said until the service listens; it would read by itself a minute later only.
        await Eventually.TrueAsync(async () =>
        {
            await api.State.ConfigureAsync(Flag.OfflineAllowances.Key, "off");
            return await AskAsync() == "feature_off";
        });
        Assert.Equal("", await AskAsync(key));

        await Eventually.TrueAsync(async () =>
        {
            await api.State.ConfigureAsync(Flag.OfflineAllowances.Key, null);
            return await AskAsync() == "";
        });
    }

    [Fact]
    public async Task A_programme_is_what_it_was_changed_to_last_and_what_others_said_to_it()
    {
        var (other, otherKey) = api.NewMerchant();
        var program = await api.ProgramAsync(
            new
            {
                name = "Before",
                currency = "EUR",
                accepted_at = new[] { new { merchant_id = other.ToString() } },
            }
        );
        var path = $"/v1/programs/{program}";
        var before = await api.GetAsync(path);
        Assert.Equal("offered", before.GetProperty("accepted_at")[0].GetProperty("state").GetString());

        await api.AcceptAsync(program, otherKey);
        var accepted = await api.GetAsync(path);
        Assert.Equal("accepted", accepted.GetProperty("accepted_at")[0].GetProperty("state").GetString());

        await api.PatchAsync(path, new { name = "After" }, accepted.GetProperty("version").GetInt64());
        Assert.Equal("After", (await api.GetAsync(path)).GetProperty("name").GetString());
        await api.GetAsync(path, 404, otherKey);
    }

    [Fact]
    public async Task The_catalogue_is_a_copy_that_every_change_of_a_programme_drops()
    {
        var (merchant, key) = api.NewMerchant();
        Assert.Empty(await NamesAsync());
        foreach (var name in new[] { "One", "Two" })
        {
            await api.ProgramAsync(new { name, currency = "EUR" }, key);
        }

        await ShowsAsync("", "Two", "One");
        var first = (await api.GetAsync("/v1/programs", key: key)).GetProperty("data")[1];
        await api.PatchAsync(
            $"/v1/programs/{first.GetProperty("id").GetString()}",
            new { name = "First" },
            first.GetProperty("version").GetInt64(),
            key: key
        );
        await ShowsAsync("", "Two", "First");
        // Nobody notices that the rows are others now, but for what is beyond the beginning.
        await using var connection = new Npgsql.NpgsqlConnection(api.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new Npgsql.NpgsqlCommand(
            $"UPDATE programs SET name = 'Behind' WHERE merchant_id = '{merchant.Value}'",
            connection
        );
        Assert.Equal(2, await command.ExecuteNonQueryAsync());
        await ShowsAsync("", "Two", "First");
        await ShowsAsync("?limit=51", "Behind", "Behind");

        async Task ShowsAsync(string query, params string[] names) => Assert.Equal(names, await NamesAsync(query));

        async Task<string[]> NamesAsync(string query = "") =>
            [
                .. (await api.GetAsync($"/v1/programs{query}", key: key))
                    .GetProperty("data")
                    .EnumerateArray()
                    .Select(program => program.GetProperty("name").GetString()!),
            ];
    }

    [Fact]
    public async Task A_programme_that_is_not_there_is_asked_for_once_and_one_that_is_made_is_there()
    {
        await api.GetAsync($"/v1/programs/{ProgramId.New(TimeProvider.System)}", 404);
        await api.GetAsync($"/v1/programs/{await api.ProgramAsync()}");
    }

    /// <summary>The refusal's code, or nothing for an allowance.</summary>
    private async Task<string> AskAsync(string? key = null)
    {
        using var answer = await api.SendAsync(
            HttpMethod.Post,
            $"/v1/terminals/{Till}/offline_allowances",
            api.Key,
            new
            {
                card_cap = GiftcardApi.Eur(100),
                total_cap = GiftcardApi.Eur(1000),
                valid_seconds = 3600,
            },
            key
        );
        var text = await answer.Content.ReadAsStringAsync();
        if (answer.IsSuccessStatusCode)
        {
            return "";
        }

        return System.Text.Json.JsonDocument.Parse(text).RootElement.GetProperty("code").GetString()!;
    }

    private static readonly TerminalId Till = TerminalId.New(TimeProvider.System);
}
