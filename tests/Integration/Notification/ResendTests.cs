using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Notification;

public sealed class ResendTests(NotificationApi api) : IClassFixture<NotificationApi>
{
    [Fact]
    public async Task A_mail_that_no_server_takes_dies_and_an_operator_sends_it_again()
    {
        api.Smtp.Up = false;
        var (shop, key) = api.NewMerchant("Shop");
        await api.Service.DeliverAsync(
            "merchant.onboarded.v1",
            new TestEvent("merchant.onboarded", shop.ToString(), 1, shop, new { })
        );
        var dead = await UntilAsync(key, "dead");
        Assert.Equal("smtp_unavailable", dead.GetProperty("last_error").GetString());
        var path = $"/ops/v1/notification/{dead.GetProperty("id").GetString()}/resend";

        api.Smtp.Up = true;
        await api.Service.CallAsync(HttpMethod.Post, path, api.Operator("viewer"), new { reason = "x" }, 403);
        await api.Service.CallAsync(HttpMethod.Post, path, api.Operator("operator"), new { reason = " " }, 400);
        var queued = await api.Service.CallAsync(
            HttpMethod.Post,
            path,
            api.Operator("operator"),
            new { reason = "server is back" },
            202,
            "again"
        );
        var replayed = await api.Service.CallAsync(
            HttpMethod.Post,
            path,
            api.Operator("operator"),
            new { reason = "server is back" },
            202,
            "again"
        );

        Assert.Equal("pending", queued.GetProperty("status").GetString());
        Assert.Equal(queued.ToString(), replayed.ToString());
        Assert.Equal("Welcome to LocalPlus", (await api.MailToAsync(shop)).Subject);
        Assert.Equal("o***@***.test", (await UntilAsync(key, "sent")).GetProperty("recipient").GetString());
    }

    [Fact]
    public async Task Only_what_exists_and_waits_for_nobody_can_be_sent_again()
    {
        var nobody = NotificationId.New(TimeProvider.System);
        var body = new { reason = "please" };

        var absent = await api.Service.CallAsync(
            HttpMethod.Post,
            $"/ops/v1/notification/{nobody}/resend",
            api.Operator("admin"),
            body,
            404
        );
        var (_, key) = api.NewMerchant("Shop");
        var asMerchant = await api.Service.CallAsync(
            HttpMethod.Post,
            $"/ops/v1/notification/{nobody}/resend",
            key,
            body,
            401
        );

        Assert.Equal("not_found", absent.GetProperty("code").GetString());
        Assert.Equal("unauthenticated", asMerchant.GetProperty("code").GetString());
    }

    /// <summary>Makes what is pending due over and over until the merchant's one message has the status.</summary>
    private async Task<JsonElement> UntilAsync(string key, string status)
    {
        JsonElement only = default;
        await Eventually.TrueAsync(
            async () =>
            {
                await using var connection = new NpgsqlConnection(api.Database.OwnerConnectionString);
                await connection.OpenAsync();
                // One of many attempts is enough to see the last one.
                await using var command = new NpgsqlCommand(
                    "UPDATE notifications SET due_at = '-infinity', attempts = GREATEST(attempts, 10) WHERE state = 'pending' AND last_error IS NOT NULL",
                    connection
                );
                await command.ExecuteNonQueryAsync();
                only = Assert.Single(
                    (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key))
                        .GetProperty("data")
                        .EnumerateArray()
                );
                return only.GetProperty("status").GetString() == status;
            },
            because: () => api.Service.Output
        );
        return only;
    }
}
