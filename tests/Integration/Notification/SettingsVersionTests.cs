using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Notification;

public sealed class SettingsVersionTests(NotificationApi api) : IClassFixture<NotificationApi>
{
    private const string Path = "/v1/notification_settings";

    [Fact]
    public async Task Each_version_of_a_merchant_s_hours_can_be_read_with_who_made_it()
    {
        var (_, key) = api.NewMerchant("Changing Shop");
        var (_, stranger) = api.NewMerchant("Other Shop");
        await api.Service.PutAsync(Path, key, 0, new { time_zone = "Europe/Paris" });
        await api.Service.PutAsync(Path, key, 1, new { quiet_hours = new { from = "21:00", until = "08:00" } });
        await api.Service.PutAsync(Path, key, 1, new { time_zone = "Europe/Rome" }, 412);

        var page = await api.Service.CallAsync(HttpMethod.Get, $"{Path}/versions?limit=1", key);
        var newest = Assert.Single(page.GetProperty("data").EnumerateArray());
        Assert.Equal(2, newest.GetProperty("version").GetInt64());
        Assert.Equal("21:00", newest.GetProperty("quiet_hours").GetProperty("from").GetString());
        Assert.Equal("key", newest.GetProperty("actor").GetProperty("kind").GetString());
        Assert.StartsWith("key_", newest.GetProperty("actor").GetProperty("id").GetString(), StringComparison.Ordinal);
        var rest = await api.Service.CallAsync(
            HttpMethod.Get,
            $"{Path}/versions?cursor={page.GetProperty("next_cursor").GetString()}",
            key
        );
        var first = Assert.Single(rest.GetProperty("data").EnumerateArray());
        Assert.Equal(
            (1, "Europe/Paris"),
            (first.GetProperty("version").GetInt32(), first.GetProperty("time_zone").GetString())
        );
        var nothing = await api.Service.CallAsync(HttpMethod.Get, $"{Path}/versions", stranger);
        Assert.Empty(nothing.GetProperty("data").EnumerateArray());
    }
}
