using LocalPlus.Hosting;
using LocalPlus.Merchant;
using LocalPlus.Merchant.Keys;
using LocalPlus.Merchant.Locations;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("merchant");
builder.Services.AddSingleton(_ => new KeyHasher(builder.Configuration));
builder.Services.AddSingleton<ApiKeys>();

// The other services ask this one; it asks its own table.
builder.Services.AddSingleton<IApiKeyVerifier>(services => services.GetRequiredService<ApiKeys>());

var app = builder.Build();
app.UseLocalPlus();
app.MapAdminApi().MapOnboardMerchant();
var merchants = app.MapMerchantApi();
merchants.MapGetMerchant();
merchants.MapCreateApiKey().MapRotateApiKey().MapListApiKeys().MapRevokeApiKey();
merchants.MapCreateLocation().MapGetLocation().MapListLocations();
var intern = app.MapInternal();
intern.MapFindLocation();
intern.MapVerifyApiKey().MapGetMerchantContact();
return await app.RunLocalPlusAsync(args);
