using LocalPlus.Hosting;
using LocalPlus.Merchant;

var builder = WebApplication.CreateBuilder(args);
await builder.AddLocalPlusAsync("merchant");
builder.AddMerchant();
var app = builder.Build();
app.UseLocalPlus();
app.MapMerchant();
return await app.RunLocalPlusAsync(args);
