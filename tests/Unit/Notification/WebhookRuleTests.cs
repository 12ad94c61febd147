using System.Net;
using System.Security.Cryptography;
using LocalPlus.Kernel;
using LocalPlus.Notification.Webhooks;
using LocalPlus.Notification.Webhooks.Sending;

namespace LocalPlus.Tests.Unit.Notification;

public sealed class WebhookRuleTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("1.0.0.1", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("100.128.0.1", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("2a00:1450::1", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.255.255.255", false)]
    [InlineData("100.64.0.0", false)]
    [InlineData("100.127.255.255", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("168.63.129.16", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("198.19.0.1", false)]
    [InlineData("203.0.113.7", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:8.8.8.8", false)]
    [InlineData("::ffff:10.0.0.1", false)]
    [InlineData("::8.8.8.8", false)]
    [InlineData("64:ff9b::8.8.8.8", false)]
    [InlineData("64:ff9b:1::1", false)]
    [InlineData("2001::1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("2002:808:808::1", false)]
    [InlineData("3fff::1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("fd00:ec2::254", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fec0::1", false)]
    [InlineData("ff02::1", false)]
    public void T49_An_address_is_public_or_it_is_not(string address, bool isPublic) =>
        Assert.Equal(isPublic, PublicAddress.Is(IPAddress.Parse(address)));

    [Fact]
    public async Task T49_A_name_is_looked_up_again_for_each_connection_and_one_bad_address_is_enough()
    {
        var answers = new Queue<IPAddress[]>([
            [IPAddress.Parse("8.8.8.8")],
            [IPAddress.Parse("10.0.0.1")],
            [IPAddress.Parse("8.8.8.8"), IPAddress.Parse("127.0.0.1")],
            [],
        ]);
        var hosts = new WebhookHosts(allowsLoopback: false, (_, _) => Task.FromResult(answers.Dequeue()));
        var url = new Uri("https://hook.example/");

        Assert.Equal([IPAddress.Parse("8.8.8.8")], await hosts.AddressesAsync(url, default));
        foreach (var code in new[] { "address_not_public", "address_not_public", "host_unknown" })
        {
            var refused = await Assert.ThrowsAsync<HostRefusedException>(() => hosts.AddressesAsync(url, default));
            Assert.Equal(code, refused.Code);
        }
    }

    [Theory]
    [InlineData("https://shop.example/hook", null)]
    [InlineData("https://shop.example:8443/hook?x=1", null)]
    [InlineData("https://shop.example:80/", "port_not_allowed")]
    [InlineData("http://shop.example/", "not_https")]
    [InlineData("https://me@shop.example/", "invalid")]
    [InlineData("https://shop.example/#top", "invalid")]
    [InlineData("file:///etc/passwd", "invalid")]
    [InlineData("/hook", "invalid")]
    public void A_URL_is_HTTPS_at_a_port_that_is_open(string url, string? problem) =>
        Assert.Equal(
            problem,
            new WebhookHosts(allowsLoopback: false, (_, _) => Task.FromResult<IPAddress[]>([])).Problem(url)
        );

    [Fact]
    public void Pauses_double_to_an_hour_and_end_after_three_days()
    {
        double[] pauses = [.. Enumerable.Range(1, 14).Select(tries => Pause(tries, 100))];

        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600], pauses);
        Assert.Equal((0.75, 1.25), (Pause(1, 75), Pause(1, 125)));
        Assert.NotNull(WebhookBackoff.Next(80, Now.AddHours(-70), Now, 100));
        Assert.Null(WebhookBackoff.Next(80, Now.AddHours(-71), Now, 100));

        static double Pause(int tries, int percent) =>
            (WebhookBackoff.Next(tries, Now, Now, percent)!.Value - Now).TotalSeconds;
    }

    [Fact]
    public void A_secret_opens_for_its_own_endpoint_and_after_its_key_was_replaced_until_that_is_gone()
    {
        var (id, other) = (WebhookId.New(TimeProvider.System), WebhookId.New(TimeProvider.System));
        var (first, second) = ($"1:{new string('a', 40)}", $"2:{new string('b', 40)}");
        var (shown, stored) = new WebhookSecrets(first).New(id);

        Assert.Equal(
            shown,
            "whsec_" + Convert.ToBase64String(new WebhookSecrets($"{second},{first}").Open(id, stored))
        );
        Assert.ThrowsAny<CryptographicException>(() => new WebhookSecrets(first).Open(other, stored));
        Assert.ThrowsAny<CryptographicException>(() => new WebhookSecrets(second).Open(id, stored));
        Assert.Throws<InvalidOperationException>(() => new WebhookSecrets("1:short"));
        Assert.Throws<InvalidOperationException>(() => new WebhookSecrets(null));
    }

    /// <summary>The example of the specification of Standard Webhooks.</summary>
    [Fact]
    public void A_signature_is_what_the_specification_says() =>
        Assert.Equal(
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            WebhookSignature.Of(
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1614265330,
                "{\"test\": 2432232314}"u8,
                Convert.FromBase64String("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            )
        );
}
