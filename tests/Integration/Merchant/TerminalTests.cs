using System.Text.Json;

namespace LocalPlus.Tests.Integration.Merchant;

/// <summary>Where a merchant's places are, and the tills in them.</summary>
public sealed class TerminalTests(MerchantApi api) : IClassFixture<MerchantApi>
{
    [Fact]
    public async Task A_place_has_an_address_and_a_time_zone_and_changes_under_its_version()
    {
        var (_, key, _) = await api.OnboardAsync();
        var address = new
        {
            line1 = "1 rue de la Paix",
            postal_code = "75002",
            city = "Paris",
        };
        var made = await api.CallAsync(
            HttpMethod.Post,
            "/v1/locations",
            key,
            new
            {
                name = "Paix",
                address,
                time_zone = "Europe/Paris",
            },
            201
        );
        var path = $"/v1/locations/{made.GetProperty("id").GetString()}";

        var moved = await api.PatchAsync(key, new { time_zone = "America/Martinique" }, 1, path: path);
        var late = await api.PatchAsync(key, new { name = "Other" }, 1, 412, path);
        var wrong = await api.PatchAsync(key, new { time_zone = "Mars/Olympus" }, 2, 400, path);

        Assert.Equal("Paris", moved.GetProperty("address").GetProperty("city").GetString());
        Assert.Equal("America/Martinique", moved.GetProperty("time_zone").GetString());
        Assert.Equal("version_conflict", late.GetProperty("code").GetString());
        Assert.Equal("/time_zone", wrong.GetProperty("errors")[0].GetProperty("pointer").GetString());
        Assert.Equal("Paix", (await api.CallAsync(HttpMethod.Get, path, key)).GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_till_is_registered_listed_blocked_and_unblocked()
    {
        var (merchant, key, _) = await api.OnboardAsync();
        var path = await PlaceAsync(key);
        var tills = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var till = await api.CallAsync(
                HttpMethod.Post,
                $"{path}/terminals",
                key,
                new { name = $"Till {i}", reference = $"till-{i}" },
                201
            );
            tills.Add(till.GetProperty("id").GetString()!);
        }

        Assert.All(tills, till => Assert.StartsWith("trm_", till, StringComparison.Ordinal));
        var first = await api.CallAsync(HttpMethod.Get, $"{path}/terminals?limit=2", key);
        var second = await api.CallAsync(
            HttpMethod.Get,
            $"{path}/terminals?limit=2&cursor={first.GetProperty("next_cursor").GetString()}",
            key
        );
        Assert.Equal([tills[2], tills[1], tills[0]], Ids(first).Concat(Ids(second)));

        Assert.False((await FoundAsync(tills[0], merchant)).GetProperty("blocked").GetBoolean());
        var blocked = await api.CallAsync(
            HttpMethod.Post,
            $"{path}/terminals/{tills[0]}/block",
            key,
            new { reason = "stolen" }
        );
        var again = await api.CallAsync(HttpMethod.Post, $"{path}/terminals/{tills[0]}/block", key, new { });
        Assert.Equal("blocked", blocked.GetProperty("status").GetString());
        Assert.Equal("stolen", blocked.GetProperty("block_reason").GetString());
        Assert.Equal(blocked.GetProperty("blocked_at").GetString(), again.GetProperty("blocked_at").GetString());
        Assert.True((await FoundAsync(tills[0], merchant)).GetProperty("blocked").GetBoolean());
        await api.CallAsync(HttpMethod.Post, $"{path}/terminals/{tills[0]}/unblock", key, new { });
        var free = await api.CallAsync(HttpMethod.Get, $"{path}/terminals/{tills[0]}", key);
        Assert.Equal("active", free.GetProperty("status").GetString());
        Assert.False(free.TryGetProperty("blocked_at", out _));
    }

    [Fact]
    public async Task A_till_is_its_merchant_s_and_its_place_s_alone()
    {
        var (_, mine, _) = await api.OnboardAsync();
        var (other, theirs, _) = await api.OnboardAsync();
        var (here, there) = (await PlaceAsync(mine), await PlaceAsync(mine));
        var body = new { name = "Till", reference = "till-1" };
        var till = (await api.CallAsync(HttpMethod.Post, $"{here}/terminals", mine, body, 201))
            .GetProperty("id")
            .GetString();

        await api.CallAsync(HttpMethod.Post, $"{here}/terminals", theirs, body, 404);
        await api.CallAsync(HttpMethod.Get, $"{there}/terminals/{till}", mine, status: 404);
        await api.CallAsync(HttpMethod.Get, $"{here}/terminals/{till}", theirs, status: 404);
        await api.CallAsync(HttpMethod.Post, $"{here}/terminals/{till}/block", theirs, new { }, 404);
        await FoundAsync(till!, other, 404);
        var taken = await api.CallAsync(HttpMethod.Post, $"{there}/terminals", mine, body, 422);
        Assert.Equal(till, taken.GetProperty("used_by").GetString());
        Assert.Empty(Ids(await api.CallAsync(HttpMethod.Get, $"{here}/terminals", theirs)));
    }

    private static IEnumerable<string> Ids(JsonElement page) =>
        page.GetProperty("data").EnumerateArray().Select(t => t.GetProperty("id").GetString()!);

    private async Task<string> PlaceAsync(string key)
    {
        var place = await api.CallAsync(HttpMethod.Post, "/v1/locations", key, new { name = "Paix" }, 201);
        return $"/v1/locations/{place.GetProperty("id").GetString()}";
    }

    private Task<JsonElement> FoundAsync(string till, string merchant, int status = 200) =>
        Support.ServiceCalls.InvokeAsync(
            api.Service,
            HttpMethod.Get,
            $"/internal/terminals/{till}?merchant_id={merchant}",
            status: status
        );
}
