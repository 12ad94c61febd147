using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Customers;

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
    private readonly PersonalDataVault vault = new(new string('k', 44));

    [Fact]
    public void Protected_data_reads_back()
    {
        var (key, box) = vault.Protect(Anna, Data);

        var read = vault.Reveal(Anna, key, box);

        Assert.Equal(Data.Email, read.Email);
        Assert.Equal(Data.Name, read.Name);
        Assert.Equal(Data.Phone, read.Phone);
    }

    [Fact]
    public void What_is_stored_shows_nothing_and_differs_each_time()
    {
        var first = vault.Protect(Anna, Data);
        var second = vault.Protect(Anna, Data);

        Assert.Equal(60, first.WrappedKey.Length);
        Assert.DoesNotContain("anna", Encoding.Latin1.GetString(first.Sealed), StringComparison.OrdinalIgnoreCase);
        Assert.NotEqual(first.Sealed, second.Sealed);
        Assert.NotEqual(first.WrappedKey, second.WrappedKey);
    }

    [Fact]
    public void Data_moved_to_another_person_does_not_open()
    {
        var anna = vault.Protect(Anna, Data);
        var ben = vault.Protect(Ben, Data);

        Assert.ThrowsAny<CryptographicException>(() => vault.Reveal(Ben, anna.WrappedKey, anna.Sealed));
        Assert.ThrowsAny<CryptographicException>(() => vault.Reveal(Anna, anna.WrappedKey, ben.Sealed));
    }

    [Fact]
    public void Every_changed_byte_is_noticed()
    {
        var (key, box) = vault.Protect(Anna, Data);
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
        var (key, box) = vault.Protect(Anna, Data);

        Assert.ThrowsAny<CryptographicException>(() =>
            new PersonalDataVault(new string('x', 44)).Reveal(Anna, key, box)
        );
    }

    [Fact]
    public void The_lookup_ignores_case_and_separates_merchants()
    {
        var lookup = vault.EmailLookup(Bakery, "Anna@Example.test");

        Assert.Equal(32, lookup.Length);
        Assert.Equal(lookup, vault.EmailLookup(Bakery, "anna@example.TEST"));
        Assert.NotEqual(lookup, vault.EmailLookup(Florist, "anna@example.test"));
        Assert.NotEqual(lookup, vault.EmailLookup(Bakery, "anna+1@example.test"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("too short")]
    public void A_weak_service_key_stops_the_start(string? key) =>
        Assert.Throws<InvalidOperationException>(() => new PersonalDataVault(key));
}
