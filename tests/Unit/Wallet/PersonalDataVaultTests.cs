using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Customers;
using LocalPlus.Wallet.Keys;

namespace LocalPlus.Tests.Unit.Wallet;

public sealed class PersonalDataVaultTests
{
    private static readonly CustomerId Anna = new(Guid.Parse("0197c0de-0000-7000-8000-00000000000a"));
    private static readonly CustomerId Ben = new(Guid.Parse("0197c0de-0000-7000-8000-00000000000b"));
    private static readonly MerchantId Bakery = new(Guid.Parse("0197c0de-0000-7000-8000-0000000000b1"));
    private static readonly MerchantId Florist = new(Guid.Parse("0197c0de-0000-7000-8000-0000000000f1"));
    private static readonly PersonalData Data = new()
    {
        Email = "anna@example.test",
        Name = "Anna Ünal",
        Phone = "+33 1 23",
    };
    private readonly PersonalDataVault vault = new(new PiiKeyring(new string('k', 44)));
    private readonly PiiVersion version = First(new(new string('k', 44)));

    [Fact]
    public void Protected_data_reads_back()
    {
        var (key, box) = PersonalDataVault.Protect(version, Anna, Data);

        var read = vault.Reveal(Anna, key, box);

        Assert.Equal(Data.Email, read.Email);
        Assert.Equal(Data.Name, read.Name);
        Assert.Equal(Data.Phone, read.Phone);
    }

    [Fact]
    public void What_is_stored_shows_nothing_and_differs_each_time()
    {
        var first = PersonalDataVault.Protect(version, Anna, Data);
        var second = PersonalDataVault.Protect(version, Anna, Data);

        Assert.Equal(60, first.WrappedKey.Length);
        Assert.DoesNotContain("anna", Encoding.Latin1.GetString(first.Sealed), StringComparison.OrdinalIgnoreCase);
        Assert.NotEqual(first.Sealed, second.Sealed);
        Assert.NotEqual(first.WrappedKey, second.WrappedKey);
    }

    [Fact]
    public void Data_moved_to_another_person_does_not_open()
    {
        var anna = PersonalDataVault.Protect(version, Anna, Data);
        var ben = PersonalDataVault.Protect(version, Ben, Data);

        Assert.ThrowsAny<CryptographicException>(() => vault.Reveal(Ben, anna.WrappedKey, anna.Sealed));
        Assert.ThrowsAny<CryptographicException>(() => vault.Reveal(Anna, anna.WrappedKey, ben.Sealed));
    }

    [Fact]
    public void Every_changed_byte_is_noticed()
    {
        var (key, box) = PersonalDataVault.Protect(version, Anna, Data);
        for (var i = 0; i < box.Length; i++)
        {
            var changed = (byte[])box.Clone();
            changed[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => vault.Reveal(Anna, key, changed));
        }

        Assert.ThrowsAny<CryptographicException>(() => vault.Reveal(Anna, key, box[..20]));
    }

    [Fact]
    public void Another_service_key_opens_nothing()
    {
        var (key, box) = PersonalDataVault.Protect(version, Anna, Data);

        Assert.ThrowsAny<CryptographicException>(() =>
            new PersonalDataVault(new PiiKeyring(new string('x', 44))).Reveal(Anna, key, box)
        );
    }

    [Fact]
    public void A_key_is_opened_by_whichever_of_the_listed_keys_has_wrapped_it()
    {
        var next = new PiiKey(new string('n', 44));
        var second = new PiiVersion(next, [new byte[32], new byte[32]], oldest: 1);
        var both = new PersonalDataVault(new PiiKeyring($"{new string('n', 44)}, {new string('k', 44)}"));
        var (key, box) = PersonalDataVault.Protect(version, Anna, Data);

        var rewrapped = both.Rewrap(second, Anna, key);

        Assert.Equal(61, rewrapped.Length);
        Assert.Equal(2, rewrapped[^1]);
        Assert.Equal(Data.Email, both.Reveal(Anna, key, box).Email);
        Assert.Equal(Data.Email, both.Reveal(Anna, rewrapped, box).Email);
        Assert.ThrowsAny<CryptographicException>(() => vault.Reveal(Anna, rewrapped, box));
        Assert.ThrowsAny<CryptographicException>(() => both.Reveal(Ben, rewrapped, box));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("too short")]
    [InlineData("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk,too short")]
    public void A_weak_service_key_stops_the_start(string? key) =>
        Assert.Throws<InvalidOperationException>(() => new PiiKeyring(key));

    private static PiiVersion First(PiiKey key) => new(key, [key.FirstLookup], PiiVersion.First);
}
