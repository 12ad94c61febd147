using System.Security.Cryptography;
using LocalPlus.Console.Session;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Tests.Unit.Console;

/// <summary>What cookies and sessions are protected with.</summary>
public sealed class KeyedProtectionTests
{
    private static readonly string First = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private static readonly string Second = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    private static readonly byte[] Text = [1, 2, 3];

    [Fact]
    public void What_one_replica_protects_another_opens() =>
        Assert.Equal(Text, Of($"1:{First}").Unprotect(Of($"1:{First}").Protect(Text)));

    [Fact]
    public void A_new_key_opens_what_the_one_before_protected_and_one_that_is_gone_opens_nothing()
    {
        var old = Of($"1:{First}").Protect(Text);

        Assert.Equal(Text, Of($"2:{Second} 1:{First}").Unprotect(old));
        Assert.Throws<CryptographicException>(() => Of($"2:{Second}").Unprotect(old));
    }

    [Fact]
    public void Another_purpose_and_a_changed_byte_open_nothing()
    {
        var text = Of($"1:{First}").Protect(Text);
        Assert.ThrowsAny<CryptographicException>(() => Of($"1:{First}", "another").Unprotect(text));

        for (var i = 0; i < text.Length; i++)
        {
            var changed = text.ToArray();
            changed[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => Of($"1:{First}").Unprotect(changed));
        }

        Assert.ThrowsAny<CryptographicException>(() => Of($"1:{First}").Unprotect([]));
    }

    private static IDataProtector Of(string keys, string purpose = "session") =>
        new KeyedProtection(
            new ConfigurationBuilder()
                .AddInMemoryCollection(new Dictionary<string, string?> { ["Secrets:session_keys"] = keys })
                .Build()
        ).CreateProtector(purpose);
}
