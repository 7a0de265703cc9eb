console.log('rebase');
