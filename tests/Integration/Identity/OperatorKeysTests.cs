using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Tests.Integration.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.IdentityModel.Tokens;

namespace LocalPlus.Tests.Integration.Identity;

public sealed class OperatorKeysTests : IDisposable
{
    private readonly Provider provider = new();
    private readonly OperatorKeys keys;

    public OperatorKeysTests() =>
        keys = new OperatorKeys(
            new OperatorIssuer("https://issuer.test", "localplus", "https://issuer.test/keys"),
            new HttpClient(provider),
            new HastyTime(),
            NullLogger<OperatorKeys>.Instance
        );

    public void Dispose()
    {
        keys.Dispose();
        provider.Dispose();
    }

    [Fact]
    public async Task Fault_16_nobody_waits_for_a_provider_that_says_nothing_and_the_keys_come_when_it_speaks()
    {
        provider.Silence();
        await keys.StartAsync(default);

        Assert.Empty(keys.Find("a"));

        provider.Speak("a");
        await Eventually.TrueAsync(() => keys.Find("a").Any());
        await keys.StopAsync(default);
    }

    [Fact]
    public async Task Fault_16_keys_stay_while_the_provider_is_away_and_a_new_one_is_found()
    {
        provider.Speak("a");
        await keys.StartAsync(default);
        Assert.Single(keys.Find("a"));

        provider.Fail();
        var asked = provider.Asked;
        await Eventually.TrueAsync(() => !keys.Find("b").Any() && provider.Asked > asked);
        Assert.Single(keys.Find("a"));

        provider.Speak("a", "b");
        await Eventually.TrueAsync(() => keys.Find("b").Any());
        await keys.StopAsync(default);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("A")]
    public async Task Fault_16_a_token_has_to_name_its_key(string? kid)
    {
        provider.Speak("a");
        await keys.StartAsync(default);

        Assert.Empty(keys.Find(kid));
        await keys.StopAsync(default);
    }

    [Theory]
    [InlineData("LP_OIDC_ISSUER", null)]
    [InlineData("LP_OIDC_ISSUER", "http://issuer.test")]
    [InlineData("LP_OIDC_AUDIENCE", null)]
    [InlineData("LP_OIDC_AUDIENCE", " ")]
    [InlineData("LP_JWKS", null)]
    public void Fault_16_production_does_not_start_without_a_named_provider(string variable, string? value)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = Environments.Production }
        );
        builder.Configuration["LP_OIDC_ISSUER"] = "https://issuer.test";
        builder.Configuration["LP_OIDC_AUDIENCE"] = "localplus";
        builder.Configuration["LP_JWKS"] = "https://issuer.test/keys";
        Assert.Equal("https://issuer.test", OperatorIssuer.From(builder.Configuration, builder.Environment).Issuer);

        builder.Configuration[variable] = value;

        var refusal = Assert.Throws<InvalidOperationException>(() =>
            OperatorIssuer.From(builder.Configuration, builder.Environment)
        );
        Assert.Contains(variable, refusal.Message, StringComparison.Ordinal);
    }

    private sealed class Provider : HttpMessageHandler
    {
        private volatile Func<CancellationToken, Task<HttpResponseMessage>> answer = _ =>
            throw new HttpRequestException("away");
        private int asked;

        public int Asked => Volatile.Read(ref asked);

        public void Silence() =>
            answer = async cancel =>
            {
                await Task.Delay(Timeout.Infinite, cancel);
                return new HttpResponseMessage();
            };

        public void Fail() => answer = _ => throw new HttpRequestException("away");

        public void Speak(params string[] ids) =>
            answer = _ =>
                Task.FromResult(
                    new HttpResponseMessage(HttpStatusCode.OK)
                    {
                        Content = new StringContent(JsonSerializer.Serialize(new { keys = ids.Select(Jwk) })),
                    }
                );

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            Interlocked.Increment(ref asked);
            return answer(cancellationToken);
        }

        private static object Jwk(string id)
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var point = key.ExportParameters(includePrivateParameters: false).Q;
            return new
            {
                kty = "EC",
                crv = "P-256",
                kid = id,
                x = Base64UrlEncoder.Encode(point.X!),
                y = Base64UrlEncoder.Encode(point.Y!),
            };
        }
    }

    /// <summary>A minute of it is over at once.</summary>
    private sealed class HastyTime : TimeProvider
    {
        private const int Haste = 1000;

        public override long GetTimestamp() => base.GetTimestamp() * Haste;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : dueTime / Haste, period);
    }
}
